package presets_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
)

// Applications do not say that they do not know a setting. These are the names, and where they matter the values, that their
// references have.
func documented() map[string]object {
	const text, flag, url = `.+`, `true|false`, `https://\S+`
	return map[string]object{
		"grafana": {
			"enabled": flag, "name": text, "icon": text, "client_id": text, "client_secret": text, "auth_url": url, "token_url": url, "api_url": url,
			"auth_style": `AutoDetect|InParams|InHeader`, "scopes": `openid( [a-z_]+)*`, "allow_sign_up": flag, "auto_login": flag,
			"login_attribute_path": text, "name_attribute_path": text, "email_attribute_path": text, "role_attribute_path": text,
			"role_attribute_strict": flag, "skip_org_role_sync": flag, "org_attribute_path": text, "org_mapping": text,
			"allow_assign_grafana_admin": flag, "groups_attribute_path": text, "tls_client_ca": `/.+`, "use_pkce": flag, "use_refresh_token": flag,
			"signout_redirect_url": url,
		},
		"minio": {
			"CONFIG_URL": `https://\S+/\.well-known/openid-configuration`, "CLIENT_ID": text, "CLIENT_SECRET": text, "CLAIM_NAME": `\w+`,
			"ROLE_POLICY": text, "DISPLAY_NAME": text, "SCOPES": `openid(,[a-z_]+)*`,
		},
		"proxmox": {
			"issuer-url": url, "client-id": text, "client-key": text, "username-claim": text, "scopes": `[a-z]+( [a-z_]+)*`, "groups-claim": text,
			"query-userinfo": `0`, "prompt": `[a-z_]+`, "acr-values": `[^\x00-\x1F\x7F <>#"]*`,
			"autocreate": `1`, "groups-autocreate": `1`, "groups-overwrite": `1`, "default": `1`, "comment": text,
		},
		"vault-auth-config.json": {
			"oidc_discovery_url": url, "oidc_discovery_ca_pem": `(?s).+`, "oidc_client_id": text, "oidc_client_secret": text, "bound_issuer": url,
			"jwt_supported_algs": `\[(RS|ES|PS)\d+\]`, "default_role": text,
		},
		"vault-auth-role.json": {
			"role_type": `oidc`, "user_claim": text, "groups_claim": text, "claim_mappings": text, "bound_claims": text, "oidc_scopes": text,
			"allowed_redirect_uris": text, "token_policies": text, "token_ttl": `\d+[smh]`, "token_max_ttl": `\d+[smh]`,
		},
		"portainer-settings.json": {
			"AuthenticationMethod": `3`, "OAuthSettings": object{
				"ClientID": text, "ClientSecret": text, "AccessTokenURI": url, "AuthorizationURI": url, "ResourceURI": url, "RedirectURI": url,
				"LogoutURI": `|` + url, "UserIdentifier": text, "Scopes": `openid( [a-z_]+)*`, "OAuthAutoCreateUsers": flag, "DefaultTeamID": `\d+`,
				"SSO": flag,
			},
		},
		"oidc_settings.json": {
			"OIDC_RP_CLIENT_ID": text, "OIDC_RP_CLIENT_SECRET": text, "OIDC_RP_SIGN_ALGO": `(RS|ES)\d+`, "OIDC_RP_SCOPES": `openid( [a-z_]+)*`,
			"OIDC_OP_AUTHORIZATION_ENDPOINT": url, "OIDC_OP_TOKEN_ENDPOINT": url, "OIDC_OP_USER_ENDPOINT": url, "OIDC_OP_JWKS_ENDPOINT": url,
			"OIDC_TOKEN_USE_BASIC_AUTH": flag, "OIDC_USE_NONCE": `true`, "OIDC_USE_PKCE": `true`, "OIDC_PKCE_CODE_CHALLENGE_METHOD": `S256`,
			"OIDC_CREATE_USER": flag, "OIDC_STORE_ID_TOKEN": flag, "OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS": `\d+`,
		},
	}
}

func TestApplicationsSchema(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			files := render(t, presets.Effective(readClient(t, name)))
			settings := map[string]object{
				"grafana": section(files["grafana.ini"], regexp.MustCompile(`(?m)^(\w+) = (.*)$`)),
				"proxmox": section(files["domains.cfg"], regexp.MustCompile(`(?m)^\t(\S+) (.*)$`)),
				"minio":   variables(files, "MINIO_IDENTITY_OPENID_"),
			}
			for file, content := range files {
				if strings.HasSuffix(file, ".json") && documented()[file] != nil {
					got := object{}
					if err := json.Unmarshal(content, &got); err != nil {
						t.Fatal(err)
					}
					settings[file] = got
				}
			}
			for application, got := range settings {
				if len(got) > 0 {
					seen[application] = true
					checkAgainst(t, application+": ", documented()[application], got)
				}
			}
		})
	}
	for application := range documented() {
		if !seen[application] {
			t.Errorf("nothing of %s was looked at", application)
		}
	}
}

// section returns what the two groups of a pattern find.
func section(content []byte, line *regexp.Regexp) object {
	found := object{}
	for _, match := range line.FindAllStringSubmatch(string(content), -1) {
		found[match[1]] = match[2]
	}
	return found
}

// variables returns the keys with a prefix, without it.
func variables(files map[string][]byte, prefix string) object {
	found := object{}
	for key, value := range files {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			found[name] = string(value)
		}
	}
	return found
}

// What stands in grafana.ini and in the variables is the same, but for the way to the secret.
func TestGrafanaVariables(t *testing.T) {
	for _, name := range []string{"grafana", "grafana-roles", "grafana-everything"} {
		files := render(t, presets.Effective(readClient(t, name)))
		ini := section(files["grafana.ini"], regexp.MustCompile(`(?m)^(\w+) = (.*)$`))
		values := variables(files, "GF_AUTH_GENERIC_OAUTH_")
		if len(ini) != len(values) {
			t.Errorf("%s: %d settings and %d variables", name, len(ini), len(values))
		}
		for setting, value := range ini {
			want := value.(string)
			if quoted, ok := strings.CutPrefix(want, "`"); ok {
				want = strings.TrimSuffix(quoted, "`")
			}
			if setting == "client_secret" {
				want = testSecret
			}
			if got := values[strings.ToUpper(setting)]; got != want {
				t.Errorf("%s: %s is %q in the file and %q as a variable", name, setting, want, got)
			}
		}
	}
}

func TestGrafanaRoles(t *testing.T) {
	for name, test := range map[string]struct {
		roles  v1alpha1.GrafanaRoles
		want   string
		strict bool
	}{
		"everybody else looks":         {roles: v1alpha1.GrafanaRoles{Admin: []string{"a", "b"}}, want: "contains(groups || `[]`, 'a') && 'Admin' || contains(groups || `[]`, 'b') && 'Admin' || 'Viewer'"},
		"only those who may look":      {roles: v1alpha1.GrafanaRoles{Viewer: []string{"v"}}, want: "contains(groups || `[]`, 'v') && 'Viewer'", strict: true},
		"everybody else, in any case":  {roles: v1alpha1.GrafanaRoles{Viewer: []string{"v"}, Others: v1alpha1.GrafanaOthersNone}, want: "contains(groups || `[]`, 'v') && 'Viewer' || 'None'"},
		"names with a quote or escape": {roles: v1alpha1.GrafanaRoles{Editor: []string{`o'b\`}, Others: v1alpha1.GrafanaOthersDeny}, want: "contains(groups || `[]`, `\"o'b\\\\\"`) && 'Editor'", strict: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, "grafana")
			c.Spec.Preset.Grafana.Roles = &test.roles
			got := variables(render(t, presets.Effective(c)), "GF_AUTH_GENERIC_OAUTH_")
			if got["ROLE_ATTRIBUTE_PATH"] != test.want || (got["ROLE_ATTRIBUTE_STRICT"] == "true") != test.strict || got["SKIP_ORG_ROLE_SYNC"] != nil {
				t.Errorf("got %v\nwant %s, strict %t", got, test.want, test.strict)
			}
		})
	}
}

// Roles that come from a setting are looked at, and an expression may have several lines.
func TestGrafanaSettings(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*v1alpha1.GrafanaPreset)
		skips  bool
		path   any
	}{
		"nothing of roles": {change: func(*v1alpha1.GrafanaPreset) {}, skips: true},
		"a path in the settings": {change: func(g *v1alpha1.GrafanaPreset) {
			g.Settings = map[string]v1alpha1.GrafanaSetting{"role_attribute_path": "'Editor'"}
		}, path: "'Editor'"},
		"organizations in the settings": {change: func(g *v1alpha1.GrafanaPreset) {
			g.Settings = map[string]v1alpha1.GrafanaSetting{"org_mapping": "a:1:Editor"}
		}},
		"a path in two lines": {change: func(g *v1alpha1.GrafanaPreset) { g.RoleAttributePath = "role == 'a' && 'Admin' ||\n'Viewer'\n" }, path: "role == 'a' && 'Admin' || 'Viewer'"},
	} {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, "grafana")
			test.change(c.Spec.Preset.Grafana)
			got := variables(render(t, presets.Effective(c)), "GF_AUTH_GENERIC_OAUTH_")
			if (got["SKIP_ORG_ROLE_SYNC"] == "true") != test.skips || got["ROLE_ATTRIBUTE_PATH"] != test.path {
				t.Errorf("got %v", got)
			}
		})
	}
}

// A claim that comes with a scope is of no use without it.
func TestMinIOAsksForItsClaim(t *testing.T) {
	c := readClient(t, "minio")
	c.Spec.Preset.MinIO.Policies, c.Spec.Preset.MinIO.ClaimName = nil, "groups"
	if got := variables(render(t, presets.Effective(c)), "MINIO_IDENTITY_OPENID_")["SCOPES"]; got != "openid,profile,email,groups" {
		t.Errorf("got %v", got)
	}
}

// The expressions that presets make are right, and give what they are for.
func TestPresetClaims(t *testing.T) {
	for name, test := range map[string]struct {
		user expression.User
		want string
	}{
		"vault":              {want: `[]`}, // which refuses people who lack the claim
		"proxmox-everything": {want: `[]`}, // which leaves people where they were if they lack the claim
		"minio":              {user: expression.User{Groups: []string{"staff", `it's "us"`}}, want: `["readwrite"]`},
		"django":             {user: expression.User{Email: "ada@example.com"}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			claims := presets.Effective(readClient(t, name)).Spec.Claims
			if len(claims) != 1 {
				t.Fatalf("got %v", claims)
			}
			program, err := expression.Compile(claims[0].Expression, expression.Kind{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := program.Evaluate(&expression.Input{User: &test.user, Client: &expression.Client{}})
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

// The commands write each file to its own place.
func TestVaultScript(t *testing.T) {
	script := string(render(t, presets.Effective(readClient(t, "vault-everything")))["vault.sh"])
	for _, line := range []string{
		"vault auth enable -path=sso/people oidc\n", "vault write auth/sso/people/config @vault-auth-config.json\n",
		"vault write auth/sso/people/role/reader @vault-auth-role.json\n",
	} {
		if !strings.Contains(script, line) {
			t.Errorf("there is no %q in\n%s", line, script)
		}
	}
}

// A run that has failed after the auth method was enabled does not keep the next one from going on.
func TestVaultScriptGoesOn(t *testing.T) {
	directory := t.TempDir()
	for name, content := range map[string]string{
		"vault.sh": string(render(t, presets.Effective(readClient(t, "vault-everything")))["vault.sh"]),
		// Vault's command, as far as the script needs it. It cannot reach the provider the first time.
		"vault": `#!/bin/sh
echo "$@" >> calls
case "$1 $2" in
"auth list") if [ -f enabled ]; then echo '  "sso/people/": {'; else echo '  "token/": {'; fi ;;
"auth enable") [ ! -f enabled ] && touch enabled ;;
"read auth/sso/people/config") [ -f configured ] ;;
"write auth/sso/people/config") [ -f reachable ] && touch configured ;;
esac
`,
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := func() error {
		command := exec.CommandContext(t.Context(), "sh", filepath.Join(directory, "vault.sh"))
		command.Env = append(os.Environ(), "PATH="+directory+":"+os.Getenv("PATH"))
		return command.Run()
	}
	if run() == nil {
		t.Fatal("the first run does not fail")
	}
	if err := os.WriteFile(filepath.Join(directory, "reachable"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := run(); err != nil {
			calls, _ := os.ReadFile(filepath.Join(directory, "calls"))
			t.Fatalf("%v after\n%s", err, calls)
		}
	}
}

// As many policies as the API lets in are not too many for an expression.
func TestMinIOPoliciesAtTheirLongest(t *testing.T) {
	c := readClient(t, "minio")
	c.Spec.Preset.MinIO.Policies = nil
	for i := range 14 {
		c.Spec.Preset.MinIO.Policies = append(c.Spec.Preset.MinIO.Policies, v1alpha1.MinIOPolicy{
			Group: string(rune('a'+i)) + strings.Repeat("g", 63), Policy: strings.Repeat("p", 64),
		})
	}
	made := presets.Effective(c).Spec.Claims[0].Expression
	if _, err := expression.Compile(made, expression.Kind{}); err != nil {
		t.Errorf("%d characters: %v", len(made), err)
	}
}

// What an application cannot do is refused with the field that asks for it.
func TestApplicationsRefuse(t *testing.T) {
	algorithm := func(alg string) func(*v1alpha1.OIDCClientSpec) {
		return func(s *v1alpha1.OIDCClientSpec) { s.IDTokenSignedResponseAlg = alg }
	}
	public := func(s *v1alpha1.OIDCClientSpec) { s.TokenEndpointAuthMethod = "none" }
	signing := func(s *v1alpha1.OIDCClientSpec) {
		s.TokenEndpointAuthMethod, s.JWKSURI = "private_key_jwt", "https://app.example.com/jwks"
	}
	for _, test := range []struct {
		name   string
		change func(*v1alpha1.OIDCClientSpec)
		want   string
	}{
		{"grafana", signing, "spec.tokenEndpointAuthMethod must not be private_key_jwt"},
		{"grafana", func(s *v1alpha1.OIDCClientSpec) { s.Preset.Grafana.RoleAttributePath = "${HOME}" }, "spec.preset.grafana makes the setting role_attribute_path hold ${"},
		{"grafana", func(s *v1alpha1.OIDCClientSpec) { s.UserinfoSignedResponseAlg = "RS256" }, "spec.userinfoSignedResponseAlg must be unset"},
		{"vault", public, "spec.tokenEndpointAuthMethod must be unset"},
		{"vault", func(s *v1alpha1.OIDCClientSpec) { s.Preset.Vault.CertificateAuthority = "x" }, "spec.preset.vault.certificateAuthority must hold certificates"},
		{"grafana", func(s *v1alpha1.OIDCClientSpec) { s.Preset.Grafana.Name = "%(name)s" }, "spec.preset.grafana makes the setting name hold %("},
		{"grafana", func(s *v1alpha1.OIDCClientSpec) { s.Preset.Grafana.Name = "a\nb" }, "spec.preset.grafana.name must be one line"},
		{"vault", func(s *v1alpha1.OIDCClientSpec) {
			s.Preset.Vault.BoundGroups, s.Scopes = []string{"a"}, []string{"openid"}
		}, "spec.scopes must hold groups, because spec.preset.vault.boundGroups needs the claim groups"},
		{"vault", func(s *v1alpha1.OIDCClientSpec) { s.Preset.Vault.UserClaim, s.Scopes = "email", []string{"openid"} }, "spec.scopes must hold email, because spec.preset.vault.userClaim needs"},
		{"proxmox", func(s *v1alpha1.OIDCClientSpec) {
			s.Preset.Proxmox.UsernameClaim, s.Scopes = "email", []string{"openid"}
		}, "spec.scopes must hold email, because spec.preset.proxmox.usernameClaim needs"},
		{"proxmox", func(s *v1alpha1.OIDCClientSpec) { s.Scopes = []string{"openid"} }, "spec.scopes must hold profile, because spec.preset.proxmox.usernameClaim needs"},
		{"grafana-roles", func(s *v1alpha1.OIDCClientSpec) { s.Scopes = []string{"openid"} }, "spec.scopes must hold groups, because spec.preset.grafana.roles needs"},
		{"portainer", func(s *v1alpha1.OIDCClientSpec) { s.Scopes = []string{"openid"} }, "spec.scopes must hold profile, because spec.preset.portainer.userIdentifier needs"},
		{"kubeapiserver", func(s *v1alpha1.OIDCClientSpec) { s.Scopes = []string{"openid"} }, "spec.scopes must hold profile, because spec.preset.kubeAPIServer.username needs"},
		{"minio", func(s *v1alpha1.OIDCClientSpec) {
			s.Preset.MinIO.Policies, s.Preset.MinIO.ClaimName, s.Scopes = nil, "groups", []string{"openid"}
		}, "spec.scopes must hold groups, because spec.preset.minio.claimName needs"},
		{"minio", public, "spec.tokenEndpointAuthMethod must be unset"},
		{"minio", func(s *v1alpha1.OIDCClientSpec) { s.Preset.MinIO.Policies, s.Claims = nil, nil }, "spec.preset.minio must say which policies people have"},
		{"minio", func(s *v1alpha1.OIDCClientSpec) { s.ClaimsIn = v1alpha1.ClaimsInUserinfo }, "spec.claimsIn must not be Userinfo"},
		{"portainer", public, "spec.tokenEndpointAuthMethod must be unset"},
		{"portainer", func(s *v1alpha1.OIDCClientSpec) { s.PKCE = v1alpha1.PKCERequired }, "spec.pkce must be unset or Optional"},
		{"proxmox", signing, "spec.tokenEndpointAuthMethod must not be private_key_jwt"},
		{"django", algorithm("PS256"), "spec.idTokenSignedResponseAlg must be one of RS256"},
		{"django", algorithm("EdDSA"), "spec.idTokenSignedResponseAlg must be one of RS256"},
		{"django", public, "spec.tokenEndpointAuthMethod must be unset"},
	} {
		c := readClient(t, test.name)
		test.change(&c.Spec)
		effective := presets.Effective(c)
		_, err := presets.Of(effective).Files(presets.Issued{Client: effective, Issuer: testIssuer, Secret: testSecret, SecretKey: "client_secret"})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}
