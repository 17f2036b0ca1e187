// Package conformance proves from outside, over TLS and against the real program, that the provider holds what the OpenID
// Foundation certifies (the profiles Basic OP, Config OP, Form Post OP, RP-Initiated Logout OP, Back-Channel Logout OP and
// Front-Channel Logout OP) and the specifications of OAuth 2.0 that it claims.
//
// The tests of a profile are named for its requirements, and run with the clients and the person of foundation/: the same
// registrations with which the Foundation's own suite is run (docs/conformance.md). openid-client/ holds a relying party made
// of a library of other people. docs/conformance.md says for each requirement which of the tests proves it.
package conformance
