// Command provider serves one OpenID Connect issuer, from registrations that the operator writes into Kubernetes or a
// person into a directory. It holds flags and wiring only.
package main
