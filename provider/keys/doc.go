// Package keys turns the private keys of registration documents into what signs and verifies tokens: a JWKS, signers, a
// verifier. All cryptography is go-jose's.
package keys
