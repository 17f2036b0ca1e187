package applications_test

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/program"
)

// isKnownAs fails unless this is whom Vault knows.
func (v *vault) isKnownAs(got *identity, err error, want identity) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	slices.Sort(got.GroupAliases)
	if got.Alias != want.Alias || !slices.Equal(got.GroupAliases, want.GroupAliases) || !slices.Equal(got.Policies, want.Policies) ||
		!maps.Equal(got.Metadata, want.Metadata) {
		v.t.Fatalf("Vault knows %+v, want %+v", *got, want)
	}
}

// People log in at Vault's UI, in groups or in none, also after the script was run again and with another client secret.
func TestVault(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "vault-ada", func(u *v1alpha1.OIDCUser) {
		u.Spec.Subject, u.Spec.Groups = "5a9d33c8-6f5d-4a39-9a8e-2f6f6b1f0c11", []string{"vault-admins", "vault-users"}
		u.Spec.DisplayName, u.Spec.Email = "Ada Lovelace", "vault-ada@example.com"
	})
	otherPassword := c.addPerson(t, "vault-grace", func(u *v1alpha1.OIDCUser) { u.Spec.Subject = "vault-grace-1" })
	ada := identity{
		Alias: "5a9d33c8-6f5d-4a39-9a8e-2f6f6b1f0c11", GroupAliases: []string{"vault-admins", "vault-users"}, Policies: []string{"reader"},
		Metadata: map[string]string{"role": "default", "username": "vault-ada", "name": "Ada Lovelace", "email": "vault-ada@example.com"},
	}
	v := newVault(t)
	v.setUp()
	b := newTab(t)
	v.begin(b)
	b.reads(".lead", "Vault")
	b.logIn("vault-ada", password)
	b.allow()
	got, err := v.finish(b)
	v.isKnownAs(got, err, ada)

	v.setUp()
	other := newTab(t)
	v.begin(other)
	other.logIn("vault-grace", otherPassword)
	other.allow()
	got, err = v.finish(other)
	v.isKnownAs(got, err, identity{
		Alias: "vault-grace-1", Policies: []string{"reader"}, Metadata: map[string]string{"role": "default", "username": "vault-grace"},
	})

	c.rotateClientSecret(t, v.client)
	c.endOverlap(t, v.client)
	v.begin(b) // the login session goes on: no page is shown
	if _, err := v.finish(b); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Fatalf("with the old client secret: %v", err)
	}
	v.secret.update(c.credentials(t, v.client))
	v.setUp()
	v.begin(b)
	got, err = v.finish(b)
	v.isKnownAs(got, err, ada)
}

// Whom spec.access keeps out is told so by the provider, and Vault gets access_denied when they go back.
func TestVaultAccess(t *testing.T) {
	password := shared.cluster.addPerson(t, "vault-mallory", func(u *v1alpha1.OIDCUser) { u.Spec.Groups = []string{"visitors"} })
	v := newVault(t, func(s *v1alpha1.OIDCClientSpec) { s.Access.AllowedGroups = []string{"vault-users"} })
	v.setUp()
	b := newTab(t)
	v.begin(b)
	b.logIn("vault-mallory", password)
	b.reads("h1", "Vault is not for this account")
	b.click("button[value=deny]")
	if _, err := v.finish(b); b.location().Query().Get("error") != "access_denied" || err == nil {
		t.Errorf("at %s, and Vault says: %v", b.location(), err)
	}
}

// The preset's own names, groups that Vault itself insists on, and `vault login`.
func TestVaultCommandLine(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "vault-lin", func(u *v1alpha1.OIDCUser) { u.Spec.Groups = []string{"vault-users"} })
	otherPassword := c.addPerson(t, "vault-eve", func(u *v1alpha1.OIDCUser) { u.Spec.Groups = []string{"visitors"} })
	addresses, err := program.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	port := addresses[0][strings.LastIndex(addresses[0], ":")+1:]
	v := newVault(t, func(s *v1alpha1.OIDCClientSpec) {
		s.RedirectURIs = []string{"http://localhost:" + port + "/oidc/callback"} // the usual one, at a port that is free
		s.Preset.Vault.MountPath, s.Preset.Vault.Role = "people/sso", "staff"
		s.Preset.Vault.UserClaim, s.Preset.Vault.BoundGroups = "preferred_username", []string{"vault-users"}
		s.Preset.Vault.ClaimMappings = map[string]v1alpha1.VaultMetadataName{"preferred_username": "account"}
		s.Preset.Vault.TokenTTL, s.Preset.Vault.TokenMaxTTL = "15m", "1h"
	})
	v.setUp()
	v.setUp()

	p := v.logIn(port, "vault-lin", password, "Signed in via your OIDC provider")
	said := p.output.String()
	var token struct {
		identity
		TTL int `json:"lease_duration"`
	}
	if err := json.Unmarshal([]byte(said[strings.Index(said, "\n{")+1:]), &token); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if token.Metadata["account"] != "vault-lin" || token.Metadata["role"] != "staff" || token.TTL != 15*60 {
		t.Errorf("got %+v", token)
	}

	p = v.logIn(port, "vault-eve", otherPassword, "error validating claims")
	if p.cmd.ProcessState.Success() {
		t.Error(p.output.String())
	}
}

// logIn runs `vault login` for somebody whose browser has to show this at the end.
func (v *vault) logIn(port, username, password, end string) *process {
	v.t.Helper()
	p, err := startProcess(v.environment, v.program, "login", "-method=oidc", "-path="+v.client.Spec.Preset.Vault.MountPath, "skip_browser=true", "port="+port)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() {
		if said := p.stop(); v.t.Failed() {
			v.t.Log(said)
		}
	})
	asks := regexp.MustCompile(`\n\s*(https://\S+)\n`)
	eventually(v.t, func() error {
		if !asks.MatchString(p.output.String()) {
			return errors.New("vault asks for no login")
		}
		return nil
	})
	b := newTab(v.t)
	b.open(asks.FindStringSubmatch(p.output.String())[1])
	b.logIn(username, password)
	b.allow()
	b.reads("body", end)
	eventually(v.t, func() error {
		if p.runs() {
			return errors.New("vault login has not ended")
		}
		return nil
	})
	return p
}
