// Package oidc holds the rules of OAuth 2.0 and OpenID Connect without HTTP: what a valid request, redirect URI, issuer,
// scope, code challenge, claim and error is. It knows no clock, no storage and no network.
package oidc
