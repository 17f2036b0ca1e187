// Command lint is golangci-lint with one linter more: kube-api-linter, which
// holds the types in api/ to the Kubernetes API conventions.
//
// golangci-lint takes such plugins at build time only. Its own builder
// ("golangci-lint custom") clones it from GitHub; this module needs nothing but
// the module proxy, and its go.sum pins both.
package main
