package registration_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func TestValidateSynologySSO(t *testing.T) {
	good := registration.SynologyAppID("app")
	for name, c := range map[string]struct {
		app  registration.SynologySSOClient
		want string // the field at fault, or empty
	}{
		"valid":             {registration.SynologySSOClient{AppID: good, RedirectURIs: []string{"https://app.example.com", "http://localhost:8080/"}}, ""},
		"no app_id":         {registration.SynologySSOClient{RedirectURIs: []string{"https://app.example.com"}}, "synology_sso.app_id"},
		"app_id in capital": {registration.SynologySSOClient{AppID: strings.ToUpper(good), RedirectURIs: []string{"https://app.example.com"}}, "synology_sso.app_id"},
		"no redirect URI":   {registration.SynologySSOClient{AppID: good}, "synology_sso.redirect_uris"},
		"http":              {registration.SynologySSOClient{AppID: good, RedirectURIs: []string{"http://app.example.com"}}, "synology_sso.redirect_uris[0]"},
		"fragment":          {registration.SynologySSOClient{AppID: good, RedirectURIs: []string{"https://app.example.com/#x"}}, "synology_sso.redirect_uris[0]"},
		"twice":             {registration.SynologySSOClient{AppID: good, RedirectURIs: []string{"https://a.example.com", "https://a.example.com"}}, "synology_sso.redirect_uris[1]"},
		"too long":          {registration.SynologySSOClient{AppID: good, RedirectURIs: []string{"https://a.example.com/" + strings.Repeat("x", 1024)}}, "synology_sso.redirect_uris[0]"},
		"native":            {registration.SynologySSOClient{AppID: good, RedirectURIs: []string{"com.example.app:/cb"}}, "synology_sso.redirect_uris[0]"},
	} {
		client := registration.Client{
			ClientID: "app", RedirectURIs: []string{"https://app.example.com/cb"}, Scope: "openid", TokenEndpointAuthMethod: registration.AuthMethodNone, SynologySSO: &c.app,
		}
		faults := registration.FieldErrors(client.Validate())
		if c.want == "" && len(faults) > 0 || c.want != "" && (len(faults) != 1 || faults[0].Field != c.want) {
			t.Errorf("%s: %v", name, faults)
		}
	}
	s := registration.Settings{SynologySSO: registration.SynologySSO{DomainName: strings.Repeat("a", 256), LDAPBaseDN: strings.Repeat("a", 513)}}
	if faults := registration.FieldErrors(s.Validate()); len(faults) != 2 {
		t.Errorf("the settings have the faults %v", faults)
	}
}
