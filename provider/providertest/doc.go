// Package providertest is an OpenID Connect issuer for tests, in one call:
//
//	issuer := providertest.New(t)
//	app := issuer.AddClient(registration.Client{ClientID: "app", RedirectURIs: []string{"http://127.0.0.1/callback"}})
//	issuer.AddUser(registration.User{Username: "ada"}, "secret")
//	// ... configure the application with issuer.URL, app.ClientID and app.Secret, then log in without a browser:
//	callback := issuer.NewBrowser(t).Authorize(authorizationURL, "ada", "secret")
//
// It is the real provider with storage in memory.
package providertest
