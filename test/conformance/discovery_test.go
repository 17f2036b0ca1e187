package conformance_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func get(t *testing.T, target string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, r)
}

// OpenID Connect Discovery sections 3 and 4: the document is there, and whoever reads it can rely on it.
func TestConfigDocument(t *testing.T) {
	t.Parallel()
	r := get(t, shared.issuer+"/.well-known/openid-configuration")
	if kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";"); r.status != http.StatusOK || kind != "application/json" {
		t.Fatalf("answers %d %s", r.status, kind)
	}
	// Section 4.3: to the letter what the URL was made of.
	if r.text("issuer") != shared.issuer {
		t.Errorf("issuer is %s", r.text("issuer"))
	}
	for name, value := range r.body {
		checkMember(t, name, value)
	}
	for _, name := range []string{
		"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint",
		"response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported",
	} {
		if r.body[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// checkMember checks the type of a member of the discovery document (Discovery section 3, RFC 8414 section 2).
func checkMember(t *testing.T, name string, value any) {
	t.Helper()
	switch typed := value.(type) {
	case string:
		if u, err := url.Parse(typed); err != nil || u.Scheme != "https" || u.Fragment != "" || name != "issuer" && !strings.HasPrefix(typed, shared.issuer+"/") {
			t.Errorf("%s is %s", name, typed)
		}
	case bool:
		if !strings.HasSuffix(name, "_supported") && !strings.HasPrefix(name, "require_") && !strings.HasSuffix(name, "_required") {
			t.Errorf("%s is %t", name, typed)
		}
	case []any:
		seen := map[any]bool{}
		for _, v := range typed {
			if text, ok := v.(string); !ok || text == "" || seen[v] {
				t.Errorf("%s holds %v", name, v)
			}
			seen[v] = true
		}
		if len(typed) == 0 { // RFC 8414 section 3.2: members without a value are left out
			t.Errorf("%s is empty", name)
		}
	default:
		t.Errorf("%s is %v", name, value)
	}
}

// What the profiles, and the specifications beyond them, ask the lists of the discovery document to hold or not to hold.
func TestConfigValues(t *testing.T) {
	t.Parallel()
	for name, wanted := range map[string][]string{
		"response_types_supported":                         {"code"},
		"response_modes_supported":                         {"query", "form_post"},
		"subject_types_supported":                          {"public", "pairwise"},
		"id_token_signing_alg_values_supported":            {"RS256", "ES256"},
		"userinfo_signing_alg_values_supported":            {"RS256", "ES256"},
		"scopes_supported":                                 {"openid", "profile", "email", "address", "phone", "offline_access"},
		"token_endpoint_auth_methods_supported":            {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"token_endpoint_auth_signing_alg_values_supported": {"RS256", "ES256"},
		"revocation_endpoint_auth_methods_supported":       {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"introspection_endpoint_auth_methods_supported":    {"client_secret_basic", "client_secret_post", "private_key_jwt"},
		"grant_types_supported": {
			"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code",
		},
		"code_challenge_methods_supported":  {"S256"},
		"prompt_values_supported":           {"none", "login", "consent", "select_account"},
		"display_values_supported":          {"page", "popup"},
		"claim_types_supported":             {"normal"},
		"claims_supported":                  {"sub", "iss", "name", "email", "address", "phone_number", "auth_time", "acr", "sid"},
		"dpop_signing_alg_values_supported": {"ES256", "RS256"},
	} {
		for _, value := range wanted {
			if !shared.supports(name, value) {
				t.Errorf("%s does not hold %s: %v", name, value, shared.metadata[name])
			}
		}
	}
	for name, unwanted := range map[string]string{
		"id_token_signing_alg_values_supported": "none", "userinfo_signing_alg_values_supported": "none", "code_challenge_methods_supported": "plain",
		"token_endpoint_auth_signing_alg_values_supported": "none", "dpop_signing_alg_values_supported": "none",
		"grant_types_supported": "password", "response_types_supported": "token",
	} {
		if shared.supports(name, unwanted) {
			t.Errorf("%s holds %s", name, unwanted)
		}
	}
	for name, wanted := range map[string]bool{
		"claims_parameter_supported": true, "authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
		"frontchannel_logout_supported": true, "frontchannel_logout_session_supported": true,
		// Left out, request_uri_parameter_supported would mean true (Discovery section 3).
		"request_parameter_supported": true, "request_uri_parameter_supported": false, "require_signed_request_object": false,
	} {
		if got, there := shared.metadata[name].(bool); !there || got != wanted {
			t.Errorf("%s is %v", name, shared.metadata[name])
		}
	}
}

// RFC 8414 section 3: the same document where applications of OAuth 2.0 look for it.
func TestAuthorizationServerMetadata(t *testing.T) {
	t.Parallel()
	r := get(t, shared.issuer+"/.well-known/oauth-authorization-server")
	if r.status != http.StatusOK {
		t.Fatalf("answers %d", r.status)
	}
	for name, value := range shared.metadata {
		same, err := json.Marshal(value)
		other, otherErr := json.Marshal(r.body[name])
		if err != nil || otherErr != nil || !slices.Equal(same, other) {
			t.Errorf("%s is %s in one and %s in the other", name, same, other)
		}
	}
	for _, name := range []string{
		"introspection_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint",
	} {
		if r.text(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// RFC 7517 sections 4 and 5, OpenID Connect Core section 10.1: public keys, each of which a token can name.
func TestConfigJWKS(t *testing.T) {
	t.Parallel()
	r := get(t, shared.endpoint(t, "jwks_uri"))
	keys, _ := r.body["keys"].([]any)
	if r.status != http.StatusOK || len(keys) < 2 {
		t.Fatalf("answers %d with %d keys", r.status, len(keys))
	}
	seen := map[any]bool{}
	for _, k := range keys {
		key, _ := k.(map[string]any)
		if key["kid"] == nil || seen[key["kid"]] || key["use"] != "sig" || key["alg"] == nil {
			t.Errorf("a key has kid %v, use %v, alg %v", key["kid"], key["use"], key["alg"])
		}
		seen[key["kid"]] = true
		members := map[any][]string{"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}[key["kty"]]
		if members == nil {
			t.Errorf("a key is of kty %v", key["kty"])
		}
		for _, member := range members {
			if text, _ := key[member].(string); text == "" || strings.ContainsAny(text, "=+/") {
				t.Errorf("%s of a key is %v", member, key[member])
			}
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if key[private] != nil {
				t.Errorf("a key has the private member %s", private)
			}
		}
	}
}

// Scripts of other origins can read what is public, and can use the endpoints that know no cookies; no other.
func TestCORS(t *testing.T) {
	t.Parallel()
	for name, allowed := range map[string]bool{
		"/.well-known/openid-configuration": true, "jwks_uri": true, "token_endpoint": true, "userinfo_endpoint": true,
		"authorization_endpoint": false, "end_session_endpoint": false,
	} {
		target := shared.issuer + name
		if !strings.HasPrefix(name, "/") {
			target = shared.endpoint(t, name)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		answer := send(t, r)
		if origin := answer.header.Get("Access-Control-Allow-Origin"); (origin != "") != allowed {
			t.Errorf("%s: Access-Control-Allow-Origin is %q", name, origin)
		}
		if answer.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s may be asked with cookies", name)
		}
	}
}
