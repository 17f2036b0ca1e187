// Command demo-app is the smallest application that logs people in with OpenID
// Connect: authorization code flow with PKCE, state and nonce (OpenID Connect
// Core 3.1, RFC 7636), then it shows who came back.
//
// It knows nothing but its own address. Issuer, client ID, client secret and
// scopes are read from the files of the credentials Secret, as a pod would have
// them from a Secret volume, on every login: a rotated secret needs no restart.
package main
