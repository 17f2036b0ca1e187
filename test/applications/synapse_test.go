package applications_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// newSynapseClient returns an OIDCClient that says no more than its preset.
func newSynapseClient(name string, preset *v1alpha1.SynapsePreset) *v1alpha1.OIDCClient {
	return gen.OIDCClient(appNamespace, name, shared.cluster.provider, gen.WithRedirectURIs(), func(c *v1alpha1.OIDCClient) {
		c.Spec.Preset = &v1alpha1.ClientPreset{Synapse: preset}
	})
}

func ada(u *v1alpha1.OIDCUser) {
	u.Spec.DisplayName, u.Spec.GivenName, u.Spec.FamilyName = "Ada Lovelace", "Ada", "Lovelace"
	u.Spec.Email, u.Spec.EmailVerified = "countess@example.com", new(true)
	u.Spec.Groups = []string{"matrix-users"}
}

// What a Matrix homeserver goes through with the configuration that comes out of the Secret: logins before and after whatever
// can change at the provider while it runs, and the end of the sessions.
func TestSynapse(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "ada", ada)
	s, secret := newSynapse(t), newMount(t)
	oidcClient := newSynapseClient("synapse", &v1alpha1.SynapsePreset{
		PublicBaseURL: s.url, IDPID: "sso", IDPName: "Example", SecretMountPath: secret.path, BackchannelLogout: new(true),
	})
	c.apply(t, oidcClient)
	secret.update(c.credentials(t, oidcClient))
	s.start(filepath.Join(secret.path, "oidc_providers.yaml"))

	s.offers("oidc-sso", "Example")
	laptop := newTab(t)
	laptop.toProvider(s, "sso")
	laptop.reads(".lead", "Matrix")
	laptop.logIn("ada", password)
	laptop.allow()
	first := laptop.backToClient(s)
	s.knows(first, "ada", "Ada Lovelace", "countess@example.com")

	phone := newTab(t)
	phone.toProvider(s, "sso")
	phone.logIn("ada", password)
	elsewhere := phone.backToClient(s)

	// Synapse loads the new key when it meets it.
	c.rotateSigningKey(t)
	laptop.toProvider(s, "sso")
	second := laptop.backToClient(s)

	// Synapse does not look at client_secret_path again: it goes on with the secret that it has read at its start, which works
	// until the overlap is over.
	c.rotateClientSecret(t, oidcClient)
	secret.update(c.credentials(t, oidcClient))
	laptop.toProvider(s, "sso")
	third := laptop.backToClient(s)
	c.endOverlap(t, oidcClient)
	laptop.toProvider(s, "sso")
	laptop.reads("#error_code", "invalid_client")
	s.restart()
	laptop.toProvider(s, "sso")
	fourth := laptop.backToClient(s)

	sessions := []session{first, second, third, fourth}
	for _, one := range append(sessions, elsewhere) {
		if err := s.isLoggedIn(one, "ada"); err != nil {
			t.Fatal(err)
		}
	}
	laptop.logOut()
	for _, one := range sessions {
		eventually(t, func() error { return s.isLoggedOut(one) })
	}
	if err := s.isLoggedIn(elsewhere, "ada"); err != nil {
		t.Errorf("the session of another browser has ended, too: %v", err)
	}
}

// The file of many how-tos: everything is written out, the secret too, and templates take apart claims that are not the standard's.
// Besides, Synapse lets in only some.
func TestSynapseWrittenOut(t *testing.T) {
	c := shared.cluster
	s, secret := newSynapse(t), newMount(t)
	oidcClient := newSynapseClient("synapse-written-out", &v1alpha1.SynapsePreset{
		PublicBaseURL: s.url, IDPID: "Example", Discover: new(false), SecretDelivery: v1alpha1.SecretDeliveryInline,
		UserMapping: v1alpha1.SynapseUserMapping{
			LocalpartTemplate:   "{{ user.email.split('@')[0] }}",
			DisplayNameTemplate: "{{ user.first_name }} {{ user.last_name }}",
		},
		AttributeRequirements: []v1alpha1.SynapseAttributeRequirement{{Attribute: "groups", OneOf: []string{"matrix-admins", "matrix-users"}}},
	})
	oidcClient.Spec.Scopes = []string{"openid", "profile", "email", "phone", "groups"}
	oidcClient.Spec.Claims = []v1alpha1.ClientClaim{{Name: "first_name", Expression: "user.givenName"}, {Name: "last_name", Expression: "user.familyName"}}
	c.apply(t, oidcClient)
	secret.update(map[string][]byte{"oidc_providers.yaml": c.credentials(t, oidcClient)["oidc_providers.yaml"]})
	s.start(filepath.Join(secret.path, "oidc_providers.yaml"))
	s.offers("oidc-Example", "Example")

	password := c.addPerson(t, "lovelace", ada)
	b := newTab(t)
	b.toProvider(s, "Example")
	b.logIn("lovelace", password)
	b.allow()
	s.knows(b.backToClient(s), "countess", "Ada Lovelace", "countess@example.com")

	password = c.addPerson(t, "hopper", func(u *v1alpha1.OIDCUser) {
		u.Spec.Email, u.Spec.Groups = "grace@example.com", []string{"sailors"}
	})
	denied := newTab(t)
	denied.toProvider(s, "Example")
	denied.logIn("hopper", password)
	denied.allow()
	denied.at(s.url + "_synapse/client/oidc/callback")
	denied.reads("body", "You are not allowed to log in here.")
}

// offers fails unless Synapse tells Matrix clients of the provider.
func (s *synapse) offers(id, name string) {
	s.t.Helper()
	type identityProvider struct{ ID, Name string }
	var login struct {
		Flows []struct {
			Type              string
			IdentityProviders []identityProvider `json:"identity_providers"`
		}
	}
	s.mustCall(http.MethodGet, "_matrix/client/v3/login", "", nil, &login)
	for _, flow := range login.Flows {
		if flow.Type == "m.login.sso" && len(flow.IdentityProviders) == 1 && flow.IdentityProviders[0] == (identityProvider{id, name}) {
			return
		}
	}
	s.t.Fatalf("Synapse offers %+v", login.Flows)
}

// knows fails unless the session is that of a Matrix user with this localpart, display name and e-mail address.
func (s *synapse) knows(got session, localpart, displayName, email string) {
	s.t.Helper()
	if err := s.isLoggedIn(got, localpart); err != nil {
		s.t.Fatal(err)
	}
	var profile struct{ DisplayName string }
	s.mustCall(http.MethodGet, "_matrix/client/v3/profile/"+got.UserID+"/displayname", got.AccessToken, nil, &profile)
	var contacts struct {
		ThreePIDs []struct{ Medium, Address string } `json:"threepids"`
	}
	s.mustCall(http.MethodGet, "_matrix/client/v3/account/3pid", got.AccessToken, nil, &contacts)
	if profile.DisplayName != displayName || len(contacts.ThreePIDs) != 1 || contacts.ThreePIDs[0].Medium != "email" || contacts.ThreePIDs[0].Address != email {
		s.t.Fatalf("the Matrix user is %+v with %+v", profile, contacts)
	}
}
