package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
)

// Each fault of a request, on a page for the manual flow and in a message for the script.
func TestSynologyRequestFaults(t *testing.T) {
	issuer := synologyIssuer(t)
	disabled := synologyClient()
	disabled.ClientID, disabled.Disabled = "disabled", true
	disabled.SynologySSO = &registration.SynologySSOClient{AppID: strings.Repeat("d", 32), RedirectURIs: []string{appPage}}
	issuer.AddClient(disabled)
	long := func(n int) string { return strings.Repeat("a", n) }
	for name, c := range map[string]struct {
		changed []string
		want    synologysso.Status
		framed  bool // by the application's pages
	}{
		"app_id missing":                    {[]string{"app_id", ""}, synologysso.ParameterError, false},
		"redirect_uri missing":              {[]string{"redirect_uri", ""}, synologysso.ParameterError, true},
		"scope missing":                     {[]string{"scope", ""}, synologysso.ParameterError, true},
		"another scope":                     {[]string{"scope", "user_id email"}, synologysso.ParameterError, true},
		"a state too long":                  {[]string{"state", long(513)}, synologysso.ParameterError, true},
		"inframe_id too long":               {[]string{"inframe_id", long(129)}, synologysso.ParameterError, true},
		"another method":                    {[]string{"method", "login"}, synologysso.ParameterError, true},
		"domain_name too long":              {[]string{"domain_name", long(256)}, synologysso.ParameterError, true},
		"ldap_baseDN too long":              {[]string{"ldap_baseDN", long(513)}, synologysso.ParameterError, true},
		"an app_id that is none":            {[]string{"app_id", "app"}, synologysso.InvalidAppID, false},
		"an unknown app_id":                 {[]string{"app_id", strings.Repeat("0", 32)}, synologysso.InvalidAppID, false},
		"an application that is off":        {[]string{"app_id", strings.Repeat("d", 32)}, synologysso.InvalidAppID, true},
		"redirect_uri with a slash":         {[]string{"redirect_uri", appPage + "/"}, synologysso.InvalidRedirectURI, true},
		"redirect_uri of OpenID Connect":    {[]string{"redirect_uri", callback}, synologysso.InvalidRedirectURI, true},
		"redirect_uri in other letters":     {[]string{"redirect_uri", strings.ToUpper(appPage)}, synologysso.InvalidRedirectURI, true},
		"redirect_uri too long":             {[]string{"redirect_uri", appPage + "/" + long(1024)}, synologysso.InvalidRedirectURI, true},
		"redirect_uri of somebody else":     {[]string{"redirect_uri", "https://evil.example"}, synologysso.InvalidRedirectURI, true},
		"another domain":                    {[]string{"domain_name", "OTHER.COM"}, synologysso.InvalidDirectoryService, true},
		"another base DN":                   {[]string{"ldap_baseDN", "dc=other,dc=com"}, synologysso.InvalidDirectoryService, true},
		"the right domain, another base DN": {[]string{"domain_name", "mydomain.com", "ldap_baseDN", "dc=other"}, synologysso.InvalidDirectoryService, true},
	} {
		t.Run(name, func(t *testing.T) {
			browser := issuer.NewBrowser(t)
			if c.changed[0] != "method" {
				page := browser.Get(ssoURL(issuer, c.changed...))
				if page.Status != http.StatusBadRequest || page.Callback != nil || !strings.Contains(page.Body, string(c.want)) {
					t.Errorf("the page answers %d, callback %v:\n%s", page.Status, page.Callback, page.Body)
				}
				if page.Header.Get("X-Frame-Options") != "DENY" {
					t.Error("the page for people may be framed")
				}
			}
			page := browser.Get(ssoURL(issuer, fromScript(c.changed...)...))
			told := messageOf(t, page)
			wantState := "fabc 21&cf"
			if c.changed[0] == "state" {
				wantState = ""
			}
			if page.Status != http.StatusBadRequest || told.values.Get("status") != string(c.want) || told.values.Get("state") != wantState || told.values.Has("access_token") {
				t.Errorf("the script is told %v with status %d", told, page.Status)
			}
			wantURI, wantTarget := "", "*"
			if c.framed && c.changed[0] != "redirect_uri" && c.want != synologysso.InvalidAppID {
				wantURI, wantTarget = appPage, appPage
			}
			if told.uri != wantURI || told.target != wantTarget {
				t.Errorf("the message for %q is about %q", told.target, told.uri)
			}
			checkFraming(t, page, c.framed)
		})
	}
}

// checkFraming: the application's pages may frame an answer, or nobody may.
func checkFraming(t *testing.T, page *providertest.Page, framed bool) {
	t.Helper()
	policy, want := page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none';"
	if framed {
		want = "frame-ancestors https://app.example.com https://other.example.com:8443;"
		if strings.Contains(policy, "frame-ancestors https://app.example.com;") {
			want = "frame-ancestors https://app.example.com;" // of the application that is switched off
		}
	}
	if !strings.Contains(policy, want) || (page.Header.Get("X-Frame-Options") == "") != framed {
		t.Errorf("the policy is %q with X-Frame-Options %q", policy, page.Header.Get("X-Frame-Options"))
	}
}

// Parameters that stand there twice, flags that are none, and what belongs together.
func TestSynologyMalformedRequests(t *testing.T) {
	issuer := synologyIssuer(t)
	for name, query := range map[string]string{
		"two app_ids":                       ssoQuery() + "&app_id=" + appID,
		"two redirect_uris":                 ssoQuery() + "&redirect_uri=https://evil.example",
		"two states":                        ssoQuery() + "&state=x",
		"no synossoJSSDK":                   ssoQuery("synossoJSSDK", ""),
		"synossoJSSDK that is no flag":      ssoQuery("synossoJSSDK", "1"),
		"query without the script":          ssoQuery("synossoJSSDKQuery", "true"),
		"logout without the script":         ssoQuery("method", "logout"),
		"an escape that is none":            ssoQuery() + "&x=%zz",
		"synossoJSSDKQuery that is no flag": ssoQuery("synossoJSSDKQuery", "yes"),
	} {
		page := issuer.NewBrowser(t).Get(issuer.Endpoint(ssoLogin) + "?" + query)
		if page.Status != http.StatusBadRequest || page.Callback != nil || !strings.Contains(page.Body, "parameter_error") {
			t.Errorf("%s answers %d, callback %v", name, page.Status, page.Callback)
		}
	}
}

// Names of directories that mean the same are the same; without one configured, none is right.
func TestSynologyDirectory(t *testing.T) {
	issuer := synologyIssuer(t)
	for name, changed := range map[string][]string{
		"none":            {},
		"the domain":      {"domain_name", "mydomain.com"},
		"with a dot":      {"domain_name", "MyDomain.com."},
		"the base DN":     {"ldap_baseDN", "DC=myldap, dc = com"},
		"both":            {"domain_name", "MYDOMAIN.COM", "ldap_baseDN", "dc=myldap,dc=com"},
		"the empty names": {"domain_name", ""},
	} {
		if page := issuer.NewBrowser(t).Get(ssoURL(issuer, changed...)); !page.Asks("username") {
			t.Errorf("%s answers %d", name, page.Status)
		}
	}
	issuer.SetSettings(registration.Settings{SynologySSO: registration.SynologySSO{Enabled: true}})
	for _, changed := range [][]string{{"domain_name", "MYDOMAIN.COM"}, {"ldap_baseDN", "dc=myldap,dc=com"}} {
		if page := issuer.NewBrowser(t).Get(ssoURL(issuer, changed...)); !strings.Contains(page.Body, "invalid_directory_service") {
			t.Errorf("without a directory %v answers %d", changed, page.Status)
		}
	}
}
