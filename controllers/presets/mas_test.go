package presets_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// masFields is what the configuration reference of the Matrix Authentication Service says of an entry in
// upstream_oauth2.providers: each field with the values that it takes (a pattern), or with the fields that it holds.
func masFields() object {
	const text, flag, url = `.+`, `true|false`, `https://.+`
	algorithm := `(RS|PS|ES)(256|384|512)|EdDSA`
	action := `ignore|suggest|force|require`
	return object{
		"id": `[0123456789ABCDEFGHJKMNPQRSTVWXYZ]{26}`, "synapse_idp_id": text, "enabled": flag,
		"issuer": text, "human_name": text, "brand_name": text,
		"client_id": text, "client_secret": text, "client_secret_file": text,
		"token_endpoint_auth_method":      `none|client_secret_basic|client_secret_post|client_secret_jwt|private_key_jwt`,
		"token_endpoint_auth_signing_alg": algorithm,
		"id_token_signed_response_alg":    algorithm, "userinfo_signed_response_alg": algorithm,
		"scope":          `openid( [a-z_]+)*`,
		"discovery_mode": `oidc|insecure|disabled`, "pkce_method": `auto|always|never`, "fetch_userinfo": flag,
		"authorization_endpoint": url, "userinfo_endpoint": url, "token_endpoint": url, "jwks_uri": url,
		"registration_token_required": flag,
		"response_mode":               `query|form_post`, "forward_login_hint": flag,
		"on_backchannel_logout":               `do_nothing|logout_browser_only|logout_all`,
		"additional_authorization_parameters": object{"prompt": text},
		"claims_imports": object{
			"skip_confirmation": flag,
			"subject":           object{"template": text},
			"localpart":         object{"action": action, "template": text, "on_conflict": `fail|add|replace|set`},
			"displayname":       object{"action": action, "template": text},
			"email":             object{"action": action, "template": text},
			"account_name":      object{"template": text},
		},
	}
}

func checkAgainst(t *testing.T, where string, fields, got object) {
	t.Helper()
	for name, value := range got {
		switch field := fields[name].(type) {
		case nil:
			t.Errorf("%s%s is not a field", where, name)
		case object:
			checkAgainst(t, where+name+".", field, value.(object))
		case string:
			if !regexp.MustCompile(`^(` + field + `)$`).MatchString(fmt.Sprint(value)) {
				t.Errorf("%s%s is %v and must be %s", where, name, value, field)
			}
		}
	}
}

// The service does not start with a suggestion that nobody is shown.
func TestMASWithoutConfirmation(t *testing.T) {
	c := readClient(t, "mas")
	c.Spec.Preset.MAS.ClaimsImports.SkipConfirmation = new(true)
	parsed := parse(t, render(t, presets.Effective(c))["upstream_oauth2.yaml"])
	imports := parsed["upstream_oauth2"].(object)["providers"].([]any)[0].(object)["claims_imports"].(object)
	if imports["skip_confirmation"] != true {
		t.Error("people are asked")
	}
	for claim, want := range map[string]string{"localpart": "require", "displayname": "force", "email": "force"} {
		if got := imports[claim].(object)["action"]; got != want {
			t.Errorf("the action for %s is %v and must be %s", claim, got, want)
		}
	}
}

func TestMASSchema(t *testing.T) {
	for _, name := range cases(t) {
		if !strings.HasPrefix(name, "mas") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			effective := presets.Effective(readClient(t, name))
			parsed := parse(t, render(t, effective)["upstream_oauth2.yaml"])
			providers := parsed["upstream_oauth2"].(object)["providers"].([]any)
			if len(parsed) != 1 || len(providers) != 1 {
				t.Fatalf("got %v", parsed)
			}
			p := providers[0].(object)
			checkAgainst(t, "", masFields(), p)
			for _, required := range []string{"id", "issuer", "client_id", "token_endpoint_auth_method", "scope"} {
				if p[required] == nil {
					t.Errorf("%s is missing", required)
				}
			}
			secrets := slices.DeleteFunc([]string{"client_secret", "client_secret_file"}, func(key string) bool { return p[key] == nil })
			if effective.HasSecret() != (len(secrets) == 1) || len(secrets) > 1 {
				t.Errorf("the client secret stands in %v", secrets)
			}
			if p["discovery_mode"] == "disabled" && (p["jwks_uri"] == nil || p["token_endpoint"] == nil || p["authorization_endpoint"] == nil) {
				t.Error("without discovery every endpoint must be given")
			}
		})
	}
}
