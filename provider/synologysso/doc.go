// Package synologysso has the rules of the protocol that Synology SSO Server speaks with applications, as far as they need no HTTP:
// what a request says, what is wrong with it, and what the answers look like. Package provider serves them below /webman/sso.
//
// The protocol is older than OpenID Connect and weaker. A token reaches the application's page in the fragment of a URL, or in a
// message to it, and its server exchanges the token, without proving who it is, for the number and name of a person. What can
// be done about that is done: tokens are good once, for minutes at most, and go to registered pages only.
//
//	request.go    what a request to SSOOauth.cgi says
//	exchange.go   what a request to SSOAccessToken.cgi says, and its answer
//	directory.go  the directory that an application may insist on
//	answer.go     what a page is told, in a URL or a message
//	number.go     the numbers by which applications know people
//	script.go     the script that applications load, which is sdk.js
package synologysso
