package presets

import (
	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// defaultMountPath is where a Secret is mounted in an application's container unless somebody says otherwise.
const defaultMountPath = "/etc/oidc"

// Preset is what is known of the application that an OIDCClient is for.
type Preset struct {
	// Name is that of the field in spec.preset.
	Name string
	// Defaults is the spec of somebody who knows the application: what the OIDCClient's own spec leaves unset comes from here.
	Defaults v1alpha1.OIDCClientSpec
	// Secret is what the application takes for a client secret.
	Secret SecretForm
	// Files returns what the Secret holds for the application, by key. An error says which field keeps the application from
	// working and what to do about it; nothing is issued then.
	Files func(Issued) (map[string][]byte, error)
	// Warn returns what somebody should look at although nothing has failed, in sentences without a full stop, from the
	// algorithms with which the issuer signs. Nil: it works with any.
	Warn func(algorithms []string) []string
}

// Issued is what an application is told.
type Issued struct {
	// Client is filled in, as Effective returns it.
	Client *v1alpha1.OIDCClient
	// Issuer is the exact issuer string.
	Issuer string
	// Secret is the client secret; empty where the client has none.
	Secret string
	// SecretKey is the key in the Secret under which the client secret stands, and the name of its file where that is mounted.
	SecretKey string
}

// Of returns the preset of an OIDCClient, or nil when it has none.
func Of(c *v1alpha1.OIDCClient) *Preset {
	of := c.Spec.Preset
	switch {
	case of == nil:
		return nil
	case of.Synapse != nil:
		return synapse(c)
	case of.MAS != nil:
		return mas(c)
	case of.SynologyDSM != nil:
		return synologyDSM(c)
	case of.SynologySSO != nil:
		return synologySSO(c)
	case of.KubeAPIServer != nil:
		return kubeAPIServer(c)
	case of.Grafana != nil:
		return grafana(c)
	case of.Vault != nil:
		return vault(c)
	case of.MinIO != nil:
		return minio(c)
	case of.Portainer != nil:
		return portainer(c)
	case of.Proxmox != nil:
		return proxmox(c)
	case of.Django != nil:
		return django(c)
	default:
		return nil
	}
}

// Effective returns c with what its preset fills in. It returns c itself when it has none: do not change what it returns.
func Effective(c *v1alpha1.OIDCClient) *v1alpha1.OIDCClient {
	preset := Of(c)
	if preset == nil {
		return c
	}
	effective := c.DeepCopy()
	fill(&effective.Spec, preset.Defaults)
	return effective
}

// Status returns what status.effective shows of a client that Effective has returned, or nil when it has no preset.
func Status(c *v1alpha1.OIDCClient) *v1alpha1.EffectiveClientStatus {
	preset := Of(c)
	if preset == nil {
		return nil
	}
	s := &v1alpha1.EffectiveClientStatus{
		Preset:                   preset.Name,
		DisplayName:              c.Spec.DisplayName,
		RedirectURIs:             c.Spec.RedirectURIs,
		PostLogoutRedirectURIs:   c.Spec.PostLogoutRedirectURIs,
		GrantTypes:               c.GrantTypes(),
		Scopes:                   c.Scopes(),
		TokenEndpointAuthMethod:  c.Spec.TokenEndpointAuthMethod,
		PKCE:                     c.Spec.PKCE,
		IDTokenSignedResponseAlg: c.Spec.IDTokenSignedResponseAlg,
		SubjectMode:              c.Spec.Subject.Mode,
		ClaimsIn:                 c.Spec.ClaimsIn,
		Consent:                  c.Spec.Consent,
		BackchannelLogoutURI:     c.Spec.BackchannelLogoutURI,
		FrontchannelLogoutURI:    c.Spec.FrontchannelLogoutURI,

		BackchannelLogoutSessionRequired: c.Spec.BackchannelLogoutSessionRequired,
	}
	s.PKCE = orElse(s.PKCE, v1alpha1.PKCEOptional)
	s.SubjectMode = orElse(s.SubjectMode, v1alpha1.SubjectPublic)
	s.ClaimsIn = orElse(s.ClaimsIn, v1alpha1.ClaimsInBoth)
	s.Consent = orElse(s.Consent, v1alpha1.ConsentRemember)
	for _, claim := range c.Spec.Claims {
		s.Claims = append(s.Claims, v1alpha1.EffectiveClaim{Name: claim.Name, Expression: claim.Expression})
	}
	return s
}

// FormOf returns what the application of c takes for a client secret.
func FormOf(c *v1alpha1.OIDCClient) SecretForm {
	if preset := Of(c); preset != nil {
		return preset.Secret
	}
	return anySecret()
}
