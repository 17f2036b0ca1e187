package applications_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
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

// What a Matrix homeserver goes through with the configuration that comes out of the Secret: the first login, a second one
// after each thing that can change at the provider while it runs, and the end of the session.
func TestSynapse(t *testing.T) {
	t.Parallel()
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
	b := newTab(t)
	b.toProvider(s, "sso")
	b.reads(".lead", "Matrix")
	b.logIn("ada", password)
	b.allow()
	first := b.backToClient(s)
	s.knows(first, "ada", "Ada Lovelace", "countess@example.com")
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

var _ = fmt.Sprint
var _ = errors.New
var _ = strings.Cut
