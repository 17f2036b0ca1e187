package browser_test

import (
	"encoding/json"
	"net/url"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// devices looks at what somebody sees who lets a device in.
func (g *gallery) devices() {
	g.t.Helper()
	tv := registration.Client{
		ClientID: "tv", ClientName: "Television", TokenEndpointAuthMethod: registration.AuthMethodNone, Scope: "openid profile email offline_access",
		GrantTypes: []string{registration.GrantDeviceCode, registration.GrantRefreshToken},
	}
	g.issuer.AddClient(tv)
	g.shows("device-code", g.issuer.Endpoint("/device"))
	g.shows("device-code-wrong", g.issuer.Endpoint("/device?user_code=BBBB-BBBB"))
	g.shows("device-confirm", g.newDevice())
	g.click("button[value=allow]")
	g.appears(g.prefix + "-device-allowed")
	g.open(g.newDevice())
	g.click("button[value=deny]")
	g.appears(g.prefix + "-device-denied")
	tv.AllowedGroups = []string{"keepers"}
	g.issuer.AddClient(tv)
	g.shows("device-refused", g.newDevice())
}

// newDevice returns the page that asks about a device which has just asked for a code.
func (g *gallery) newDevice() string {
	g.t.Helper()
	page, err := g.issuer.Client().PostForm(g.issuer.Endpoint("/oauth2/device_authorization"), url.Values{"client_id": {"tv"}, "scope": {"openid profile email offline_access"}})
	if err != nil {
		g.t.Fatal(err)
	}
	defer page.Body.Close()
	var codes struct {
		Page string `json:"verification_uri_complete"`
	}
	if err := json.NewDecoder(page.Body).Decode(&codes); err != nil || codes.Page == "" {
		g.t.Fatalf("there is no code: %v", err)
	}
	return codes.Page
}
