package presets_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

func TestSynologyDSMWarnings(t *testing.T) {
	for name, test := range map[string]struct {
		algorithms []string
		change     func(*v1alpha1.OIDCClientSpec)
		want       []string
	}{
		"nothing to warn of":    {algorithms: []string{"PS256", "RS256", "RS512"}},
		"no keys yet":           {},
		"elliptic curves":       {algorithms: []string{"ES256", "EdDSA", "RS256"}, want: []string{"the issuer also signs with ES256, EdDSA, "}},
		"another algorithm":     {change: func(s *v1alpha1.OIDCClientSpec) { s.IDTokenSignedResponseAlg = "ES384" }, want: []string{"spec.idTokenSignedResponseAlg is ES384"}},
		"the header alone":      {change: func(s *v1alpha1.OIDCClientSpec) { s.TokenEndpointAuthMethod = "client_secret_basic" }, want: []string{"spec.tokenEndpointAuthMethod is client_secret_basic"}},
		"the form alone":        {change: func(s *v1alpha1.OIDCClientSpec) { s.TokenEndpointAuthMethod = "client_secret_post" }},
		"PKCE":                  {change: func(s *v1alpha1.OIDCClientSpec) { s.PKCE = v1alpha1.PKCERequired }, want: []string{"spec.pkce is Required"}},
		"claims elsewhere":      {change: func(s *v1alpha1.OIDCClientSpec) { s.ClaimsIn = v1alpha1.ClaimsInIDToken }, want: []string{"spec.claimsIn is IDToken"}},
		"no scope of the claim": {change: func(s *v1alpha1.OIDCClientSpec) { s.Scopes = []string{"openid", "email"} }, want: []string{"spec.scopes lacks profile"}},
		"the e-mail address": {change: func(s *v1alpha1.OIDCClientSpec) {
			s.Preset.SynologyDSM.UsernameClaim, s.Scopes = "email", []string{"openid", "email"}
		}},
		"no scope of the e-mail": {change: func(s *v1alpha1.OIDCClientSpec) {
			s.Preset.SynologyDSM.UsernameClaim, s.Scopes = "email", []string{"openid", "profile"}
		}, want: []string{"spec.scopes lacks email"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, "synologydsm")
			if test.change != nil {
				test.change(&c.Spec)
			}
			got := presets.Of(presets.Effective(c)).Warn(test.algorithms)
			if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSynologyDSMFaults(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*v1alpha1.OIDCClientSpec)
		want   string
	}{
		"public":          {func(s *v1alpha1.OIDCClientSpec) { s.TokenEndpointAuthMethod = "none" }, "spec.tokenEndpointAuthMethod must be unset or client_secret_post"},
		"signing":         {func(s *v1alpha1.OIDCClientSpec) { s.TokenEndpointAuthMethod = "private_key_jwt" }, "spec.tokenEndpointAuthMethod must be unset or client_secret_post"},
		"signed userinfo": {func(s *v1alpha1.OIDCClientSpec) { s.UserinfoSignedResponseAlg = "RS256" }, "spec.userinfoSignedResponseAlg must be unset"},
	} {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, "synologydsm")
			test.change(&c.Spec)
			effective := presets.Effective(c)
			_, err := presets.Of(effective).Files(presets.Issued{Client: effective, Issuer: testIssuer, Secret: testSecret})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The claim that DSM reads is one that expressions give wherever no standard claim is the account's name.
func TestSynologyDSMUsername(t *testing.T) {
	own := v1alpha1.ClientClaim{Name: "preferred_username", Expression: "user.email"}
	other := v1alpha1.ClientClaim{Name: "department", Expression: "'it'"}
	username := v1alpha1.ClientClaim{Name: "preferred_username", Expression: "user.username + '@example.com'"}
	for name, test := range map[string]struct {
		domain, claim string
		claims, want  []v1alpha1.ClientClaim
	}{
		"local":                    {},
		"local, another name":      {claim: "nas_name", want: []v1alpha1.ClientClaim{{Name: "nas_name", Expression: "user.username"}}},
		"local, nickname":          {claim: "nickname"},
		"directory":                {domain: "example.com", want: []v1alpha1.ClientClaim{username}},
		"directory, another name":  {domain: "example.com", claim: "nas_name", want: []v1alpha1.ClientClaim{{Name: "nas_name", Expression: username.Expression}}},
		"directory, e-mail":        {domain: "example.com", claim: "email"},
		"directory, subject":       {domain: "example.com", claim: "sub"},
		"beside claims of its own": {domain: "example.com", claims: []v1alpha1.ClientClaim{other}, want: []v1alpha1.ClientClaim{other, username}},
		"in place of it":           {domain: "example.com", claims: []v1alpha1.ClientClaim{own}, want: []v1alpha1.ClientClaim{own}},
	} {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, "synologydsm-ldap")
			c.Spec.Claims = test.claims
			c.Spec.Preset.SynologyDSM.UsernameDomain, c.Spec.Preset.SynologyDSM.UsernameClaim = test.domain, test.claim
			if got := presets.Effective(c).Spec.Claims; !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
