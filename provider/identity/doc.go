// Package identity answers who someone is. Its one source today are the passwords of the embedded directory; others join
// behind [Authenticator].
package identity
