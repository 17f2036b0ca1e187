package provider_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	apiOne   = "https://one.example.com/api"
	apiTwo   = "https://two.example.com"
	apiThree = "urn:example:three"
)

// RFC 8707 2 and 2.2: which resources a token may be for.
func TestResourcesOfTokens(t *testing.T) {
	for name, c := range map[string]struct {
		authorized []string // of the authorization request
		asked      []string // of the token request
		want       []string // audience of the access token
		err        string
	}{
		"none":                           {nil, nil, nil, ""},
		"asked for at the token":         {nil, []string{apiOne}, []string{apiOne}, ""},
		"two, in their order":            {nil, []string{apiTwo, apiOne}, []string{apiTwo, apiOne}, ""},
		"one, twice":                     {nil, []string{apiOne, apiOne}, []string{apiOne}, ""},
		"an empty one is none":           {nil, []string{""}, nil, ""},
		"all that were authorized":       {[]string{apiOne, apiTwo}, nil, []string{apiOne, apiTwo}, ""},
		"one of those (2.2)":             {[]string{apiOne, apiTwo}, []string{apiTwo}, []string{apiTwo}, ""},
		"another than those (2.2)":       {[]string{apiOne}, []string{apiTwo}, nil, "invalid_target"},
		"one of those and another (2.2)": {[]string{apiOne}, []string{apiOne, apiTwo}, nil, "invalid_target"},
		"one that is not registered":     {nil, []string{"https://evil.example"}, nil, "invalid_target"},
		"to the letter":                  {nil, []string{apiTwo + "/"}, nil, "invalid_target"},
		"a fragment (2)":                 {nil, []string{apiTwo + "#a"}, nil, "invalid_target"},
		"no absolute URI (2)":            {nil, []string{"/api"}, nil, "invalid_target"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := refreshingClient()
			client.Resources = []string{apiOne, apiTwo, apiThree}
			issuer.AddClient(client)
			request, _ := url.Parse(authorizeURL(issuer))
			query := request.Query()
			query["resource"] = c.authorized
			request.RawQuery = query.Encode()
			code := issuer.NewBrowser(t).Authorize(request.String(), "ada", password).Query().Get("code")
			ask := func(form url.Values) answer {
				form.Set("client_id", "app")
				form.Set("client_secret", "secret-of-app")
				return send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), form))
			}
			first := ask(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "resource": c.asked})
			if c.err != "" {
				if first.status != http.StatusBadRequest || first.text("error") != c.err {
					t.Fatalf("answers %d %s", first.status, first.raw)
				}
				// The code is still good: the client may ask for less.
				if again := exchange(t, issuer, code); again.status != http.StatusOK {
					t.Fatalf("the code is lost: %d %s", again.status, again.raw)
				}
				return
			}
			if got := audience(t, introspected(t, issuer, first.text("access_token"))); !slices.Equal(got, orIssuer(c.want, issuer.URL)) {
				t.Errorf("the audience is %v", got)
			}
			// A refresh token keeps what was authorized (2.2).
			again := ask(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.text("refresh_token")}})
			if got := audience(t, introspected(t, issuer, again.text("access_token"))); !slices.Equal(got, orIssuer(c.authorized, issuer.URL)) {
				t.Errorf("refreshed, the audience is %v", got)
			}
			third := ask(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {again.text("refresh_token")}, "resource": {apiThree}})
			if want := map[bool]string{true: "invalid_target"}[len(c.authorized) > 0]; third.text("error") != want {
				t.Errorf("refreshed for another: %d %s", third.status, third.raw)
			}
		})
	}
}

func orIssuer(audience []string, issuer string) []string {
	if len(audience) == 0 {
		return []string{issuer}
	}
	return audience
}

// audience returns the aud of an answer, which is a text or a list.
func audience(t *testing.T, a answer) []string {
	t.Helper()
	switch aud := a.body["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		var all []string
		for _, one := range aud {
			all = append(all, one.(string))
		}
		return all
	default:
		t.Fatalf("aud is %v in %s", aud, a.raw)
		return nil
	}
}

// A token for one resource must not become one for all when the resource is taken out of the registration.
func TestResourceThatIsNoLongerRegistered(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := refreshingClient()
	client.Resources = []string{apiOne, apiTwo}
	issuer.AddClient(client)
	tokens := exchange(t, issuer, newCode(t, issuer, "resource", apiOne))
	client.Resources = []string{apiTwo}
	issuer.AddClient(client)
	if got := refreshed(t, issuer, tokens.text("refresh_token")); got.text("error") != "invalid_target" {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
}

// RFC 8707 2: client_credentials has no authorization request; what is registered bounds it.
func TestResourcesOfAClient(t *testing.T) {
	issuer, _ := newIssuer(t)
	worker := workerClient()
	worker.Resources = []string{apiOne, apiTwo}
	for _, format := range []string{registration.FormatOpaque, registration.FormatJWT} {
		worker.AccessTokenFormat = format
		issuer.AddClient(worker)
		got := worked(t, issuer, "resource", apiOne, "resource", apiTwo)
		seen := post(t, issuer, oidc.PathIntrospection, "client_id", "worker", "client_secret", "secret-of-worker", "token", got.text("access_token"))
		if !slices.Equal(audience(t, seen), []string{apiOne, apiTwo}) || seen.text("sub") != "worker" {
			t.Errorf("%s: %s", format, seen.raw)
		}
		if got := worked(t, issuer, "resource", apiThree); got.text("error") != "invalid_target" {
			t.Errorf("%s, another: %d %s", format, got.status, got.raw)
		}
	}
}
