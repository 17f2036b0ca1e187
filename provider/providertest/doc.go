// Package providertest is an OpenID Connect issuer for tests, in one call:
//
//	issuer := providertest.New(t)
//	app := issuer.AddClient(registration.Client{ClientID: "app", RedirectURIs: []string{"http://127.0.0.1/callback"}})
//	issuer.AddUser(registration.User{Username: "ada"}, "secret")
//	// ... configure the application with issuer.URL, app.ClientID and app.Secret, then log in without a browser:
//	callback := issuer.NewBrowser(t).Authorize(authorizationURL, "ada", "secret")
//
// It is the real provider with storage in memory, so that an application meets in its tests what it will meet later: exact
// redirect URIs, codes that work once, refresh tokens that rotate, keys that change. What a client may do is in its
// registration.Client; how long things last is in the settings, and Issuer.Clock makes time pass. The examples show the rest.
package providertest
