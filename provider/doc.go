// Package provider is an OpenID Connect provider over HTTP. Rules without HTTP are in package oidc; what is registered
// comes from a [Registry], what must be remembered is in a store.Store.
//
// The routes, all below the issuer's path, and the file that serves each:
//
//	GET       /.well-known/openid-configuration  discovery.go  metadata, built once per change of keys
//	GET       /.well-known/oauth-authorization-server
//	                                             discovery.go  the same, by its OAuth 2.0 name
//	GET       /oauth2/jwks                       discovery.go  public keys, built once per change of keys
//	GET POST  /oauth2/authorize                  authorize.go  the authorization request, read by authrequest.go
//	POST      /oauth2/par                        pushed.go     the authorization request, sent by the client beforehand
//	GET POST  /login                             login.go      who is it
//	GET POST  /consent                           consent.go    does the person agree
//	POST      /oauth2/token                      token.go      clientauth.go proves the client, each grant_*.go answers one grant type
//	POST      /oauth2/device_authorization       device_authorization.go   codes for a device without a browser
//	POST      /oauth2/introspect                 introspect.go what a token is good for
//	POST      /oauth2/revoke                     revoke.go     a client gives back a token
//	GET POST  /oauth2/userinfo                   userinfo.go   claims for an access token
//	GET POST  /oauth2/logout                     logout.go     logout asked for by an application, read by logout_request.go
//	POST      /logout                            logout.go     logout confirmed by the person
//	GET POST  /device                            device.go     does the person let a device in
//	GET       /{$}                               home.go       who is logged in here
//	GET       /account                           account.go    what is known of the person
//	GET POST  /account/sessions                  account_sessions.go      where they are logged in
//	GET POST  /account/applications              account_applications.go  what they have agreed to
//	GET POST  /account/password                  account_password.go      another password
//	GET       /webman/sso/synoSSO-1.0.0.js       synology.go   the script of Synology SSO Server's protocol
//	GET POST  /webman/sso/SSOOauth.cgi           synology_login.go        a login by it, synology_answer.go its end; also a logout
//	GET       /webman/sso/SSOAccessToken.cgi     synology_exchange.go     who is it, for a token
//	GET       /assets/brand.css /assets/logo     brand.go      colors and logo of the settings
//	GET       /assets/{name}                     assets.go     style sheet and icon
//
// What is below /webman is also at the root of the host, and nowhere unless the settings ask for it; its rules are in package
// synologysso.
//
// The admin handler (admin.go), on a port of its own, serves /healthz, /readyz, /startupz and /metrics.
//
// What surrounds every request: requestid.go names it, address.go finds its sender behind proxies, connection.go decides whether
// another may follow, metrics.go counts it, tracing.go makes a span of it, and audit.go tells of what matters for security.
//
// routes.go holds the route table; a handler returns an error, and respond.go alone decides which status, page, JSON
// document or redirect becomes of it. No page keeps state on the server: the authorization request, or the request_uri of
// one that was sent beforehand, travels in the query of every page, and each step checks it anew. returning.go sends the
// browser back to the application with the answer; access.go tells people whom the application is not for. claims.go puts
// together what an application is told of a person, with what expressions.go evaluates for that application alone.
//
// grantor.go tells whether the person behind a grant still stands for it, and storedclient.go whether the client does: its ID may be
// another one's by now.
//
// session_clients.go tells how the clients of a session learn of its end, session_end.go ends it for all of them, purge.go when it
// has run out, and disabled.go when its person may not log in any more: notices.go and notice_send.go tell their servers (OpenID
// Connect Back-Channel Logout), a page of frames their pages in this browser.
package provider
