// Package registration is the contract between the operator and the provider: plain documents that the operator
// writes into Secrets (or a person into a directory) and the provider reads.
//
// There are four kinds of document, each one JSON object with one Validate:
//
//   - [Client]: an OAuth 2.0 client, in the names of RFC 7591 where they exist. It holds hashes of client secrets, never a secret.
//   - [User]: a person of the embedded directory, in the claim names of OpenID Connect Core section 5.1, and a password hash.
//   - [SigningKey]: private keys of one algorithm, each in a phase of its life.
//   - [Settings]: lifetimes of what the provider issues.
//
// Validate feeds both the status that kubectl shows and the decision that the provider takes, so that they cannot disagree.
package registration
