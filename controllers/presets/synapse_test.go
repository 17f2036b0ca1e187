package presets_test

import (
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

type object = map[string]any

// parse returns a file that holds one mapping.
func parse(t *testing.T, content []byte) object {
	t.Helper()
	parsed := object{}
	if err := yaml.UnmarshalStrict(content, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// synapseProvider returns the one entry of oidc_providers.yaml, after the client has been changed.
func synapseProvider(t *testing.T, change func(*v1alpha1.OIDCClient)) object {
	t.Helper()
	c := readClient(t, "synapse")
	change(c)
	parsed := parse(t, render(t, presets.Effective(c))["oidc_providers.yaml"])
	providers, ok := parsed["oidc_providers"].([]any)
	if !ok || len(providers) != 1 || len(parsed) != 1 {
		t.Fatalf("the file must hold oidc_providers with one entry and nothing else, because it replaces what it holds: %v", parsed)
	}
	return providers[0].(object)
}

// What the usual how-to tells to write by hand comes out to the letter: no key more, none less.
func TestSynapseWrittenOut(t *testing.T) {
	got := parse(t, render(t, presets.Effective(readClient(t, "synapse-written-out")))["oidc_providers.yaml"])
	want := object{"oidc_providers": []any{object{
		"idp_id":                 "Example",
		"idp_name":               "Example",
		"discover":               false,
		"issuer":                 "https://id.example.com/",
		"client_id":              "matrix.synapse",
		"client_secret":          testSecret,
		"scopes":                 []any{"openid", "profile", "email", "phone"},
		"authorization_endpoint": "https://id.example.com/oauth2/authorize",
		"token_endpoint":         "https://id.example.com/oauth2/token",
		"userinfo_endpoint":      "https://id.example.com/oauth2/userinfo",
		"jwks_uri":               "https://id.example.com/oauth2/jwks",
		"user_mapping_provider": object{"config": object{
			"localpart_template":    "{{ user.email.split('@')[0] }}",
			"display_name_template": "{{ user.first_name }} {{ user.last_name }}",
			"email_template":        "{{ user.email }}",
		}},
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestSynapse(t *testing.T) {
	spec := func(change func(*v1alpha1.OIDCClientSpec, *v1alpha1.SynapsePreset)) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) { change(&c.Spec, c.Spec.Preset.Synapse) }
	}
	for name, test := range map[string]struct {
		change func(*v1alpha1.OIDCClientSpec, *v1alpha1.SynapsePreset)
		want   object
		absent []string
	}{
		"secret by path": {
			change: func(*v1alpha1.OIDCClientSpec, *v1alpha1.SynapsePreset) {},
			want:   object{"client_secret_path": "/etc/oidc/client_secret", "pkce_method": "always"},
			absent: []string{"client_secret", "client_auth_method", "discover", "skip_verification", "backchannel_logout_enabled"},
		},
		"without PKCE": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.SynapsePreset) { s.PKCE = v1alpha1.PKCEOptional },
			absent: []string{"pkce_method"},
		},
		"PKCE without discovery, on request": {
			change: func(s *v1alpha1.OIDCClientSpec, p *v1alpha1.SynapsePreset) {
				s.PKCE, p.Discover = v1alpha1.PKCERequired, new(false)
			},
			want: object{"pkce_method": "always", "discover": false},
		},
		"logout by a URI of the spec": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.SynapsePreset) {
				s.BackchannelLogoutURI = "https://inside.example.com/logout"
			},
			want: object{"backchannel_logout_enabled": true},
		},
		"logout switched off in spite of a URI": {
			change: func(s *v1alpha1.OIDCClientSpec, p *v1alpha1.SynapsePreset) {
				s.BackchannelLogoutURI, p.BackchannelLogout = "https://inside.example.com/logout", new(false)
			},
			absent: []string{"backchannel_logout_enabled", "backchannel_logout_ignore_sub"},
		},
		"logout by another subject": {
			change: func(_ *v1alpha1.OIDCClientSpec, p *v1alpha1.SynapsePreset) {
				p.BackchannelLogout, p.UserMapping.SubjectClaim = new(true), "preferred_username"
			},
			want: object{"backchannel_logout_enabled": true, "backchannel_logout_ignore_sub": true},
		},
		"logout by another subject that sub is all the same": {
			change: func(_ *v1alpha1.OIDCClientSpec, p *v1alpha1.SynapsePreset) {
				p.BackchannelLogout, p.UserMapping.SubjectClaim = new(true), "preferred_username"
				p.BackchannelLogoutIgnoreSub = new(false)
			},
			want:   object{"backchannel_logout_enabled": true},
			absent: []string{"backchannel_logout_ignore_sub"},
		},
		"its own redirect URI among others": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.SynapsePreset) {
				s.RedirectURIs = []string{"https://other.example.com/callback", "https://matrix.example.com/_synapse/client/oidc/callback"}
			},
			absent: []string{"redirect_uri"},
		},
		"another redirect URI": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.SynapsePreset) {
				s.RedirectURIs = []string{"https://other.example.com/callback"}
			},
			want: object{"redirect_uri": "https://other.example.com/callback"},
		},
		"another algorithm without discovery": {
			change: func(s *v1alpha1.OIDCClientSpec, p *v1alpha1.SynapsePreset) {
				s.IDTokenSignedResponseAlg, p.Discover = "ES256", new(false)
			},
			want: object{"id_token_signing_alg_values_supported": []any{"ES256"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := synapseProvider(t, spec(test.change))
			for key, want := range test.want {
				if !reflect.DeepEqual(got[key], want) {
					t.Errorf("%s is %v and should be %v", key, got[key], want)
				}
			}
			for _, key := range test.absent {
				if value, ok := got[key]; ok {
					t.Errorf("%s is %v and should not be there", key, value)
				}
			}
		})
	}
}

// Synapse refuses an http issuer unless it does not look; such issuers are for a loopback host.
func TestSynapseWithHTTPIssuer(t *testing.T) {
	effective := presets.Effective(readClient(t, "synapse"))
	files, err := presets.Of(effective).Files(presets.Issued{
		Client: effective, Issuer: "http://localhost:8080", Secret: testSecret, SecretKey: "client_secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(files["oidc_providers.yaml"]), "skip_verification: true") {
		t.Errorf("%s", files["oidc_providers.yaml"])
	}
}

func TestSynapseCannotSign(t *testing.T) {
	c := readClient(t, "synapse")
	c.Spec.TokenEndpointAuthMethod, c.Spec.JWKSURI = "private_key_jwt", "https://matrix.example.com/jwks"
	effective := presets.Effective(c)
	_, err := presets.Of(effective).Files(presets.Issued{Client: effective, Issuer: testIssuer, SecretKey: "client_secret"})
	if err == nil || !strings.HasPrefix(err.Error(), "spec.tokenEndpointAuthMethod must not be private_key_jwt") {
		t.Errorf("got %v", err)
	}
}

// A template and any other text arrives as it was written, whatever it looks like to a YAML library.
func TestTextSurvivesYAML(t *testing.T) {
	for _, text := range []string{
		"{{ user.name }}", `{{ "a: b" }} # no comment`, "yes", "0123", "1e3", "=", "~", "null", "!tag", "&a", "*a", "- a", "{a: b}", "2026-01-01",
		"a\nb\n", "\ttab", " spaces ", `back\slash`, `"quoted"`, "'quoted'", "Zoë ☃ 😀", "\u0085\u2028", "%{x}", "@at", "`tick`",
	} {
		got := synapseProvider(t, func(c *v1alpha1.OIDCClient) {
			c.Spec.Preset.Synapse.IDPName = text
			c.Spec.Preset.Synapse.UserMapping.ExtraAttributes = map[string]string{text: text}
		})
		extra := got["user_mapping_provider"].(object)["config"].(object)["extra_attributes"].(object)
		if got["idp_name"] != text || extra[text] != text {
			t.Errorf("%q became %q and %q", text, got["idp_name"], extra)
		}
	}
}
