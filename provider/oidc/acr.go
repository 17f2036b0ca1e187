package oidc

import "slices"

// ACRPassword is the authentication context class of a login with a password over a protected connection: the only one that
// a login here can claim. The name is that of the SAML 2.0 authentication context, which many relying parties know.
const ACRPassword = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

// ACRValues lists every authentication context class.
func ACRValues() []string { return []string{ACRPassword} }

// ACROf returns the authentication context class of a login by its "amr" values (RFC 8176), or "" when it has none.
func ACROf(methods []string) string {
	if slices.Contains(methods, "pwd") {
		return ACRPassword
	}
	return ""
}
