package controllers

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The kinds, as owner references and AnnotationOwner name them.
const (
	kindProvider   = "OIDCProvider"
	kindSigningKey = "SigningKey"
	kindClient     = "OIDCClient"
	kindUser       = "OIDCUser"
)

// The keys of a credentials Secret.
const (
	keyClientID      = "client_id"
	keyClientSecret  = "client_secret"
	keyIssuer        = "issuer"
	keyDiscovery     = "discovery_url"
	keyAuthorization = "authorization_endpoint"
	keyToken         = "token_endpoint"
	keyUserinfo      = "userinfo_endpoint"
	keyEndSession    = "end_session_endpoint"
	keyJWKS          = "jwks_uri"
	keyScopes        = "scopes"
)

// clientPlan is what is to be done about an OIDCClient.
type clientPlan struct {
	accepted verdict
	// secretTaken tells that a Secret of somebody else has the name of the credentials Secret.
	secretTaken bool
	// credentials and registration are what should stand; nil: nothing is to be written.
	credentials  *acorev1.SecretApplyConfiguration
	registration *acorev1.SecretApplyConfiguration
	// update is the standing registration brought up to date with the client secrets that it has: what is written when the
	// credentials cannot be, since redirect URIs and the like must take effect all the same. Nil when none stands.
	update *acorev1.SecretApplyConfiguration
	// secretID names the client secret; empty for a client that has none.
	secretID string
	// preset is what the application's preset adds.
	preset presetPlan
	// withdraw are registrations that must end now, because the OIDCClient is not accepted.
	withdraw []*corev1.Secret
	// outdated are Secrets that are not wanted any more once the new ones stand: until then they hold the client secret.
	outdated []*corev1.Secret
}

// planClient decides about an OIDCClient that its preset has filled in. It calls newSecret when a client secret must be made.
func planClient(c *v1alpha1.OIDCClient, state clientState, newSecret func(presets.SecretForm) string) (clientPlan, error) {
	secret, hashes := "", []registration.ClientSecret(nil)
	if c.HasSecret() {
		secret = keptSecret(c, state)
		if secret == "" {
			secret = newSecret(presets.FormOf(c))
		}
		hash := registration.HashSecret(secret)
		hashes = []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}}
	}
	document := buildClientDocument(c, hashes)
	plan := clientPlan{preset: planPreset(c, state, secret)}
	plan.accepted = plan.preset.judge(judgeClient(c, state, document))
	if len(hashes) > 0 {
		plan.secretID = hashes[0].ID
	}
	if plan.accepted.outcome == stalled {
		plan.withdraw = registrationsIn(state.owned)
	}
	if plan.accepted.outcome != done {
		return plan, nil
	}
	owner := resources.Owner(kindClient, client.ObjectKeyFromObject(c))
	plan.secretTaken = state.credentials != nil && !ownedBy(owner)(state.credentials)
	plan.outdated = outdated(c, state.owned)
	var err error
	if incumbent(state.registration) == owner {
		update := *document
		if c.HasSecret() {
			update.Secrets = registeredSecrets(state.registration)
		}
		if update.Validate() == nil {
			if plan.update, err = registrationFor(c, owner, &update); err != nil {
				return plan, err
			}
		}
	}
	plan.credentials = buildCredentials(c, state.provider.Spec.Issuer, secret, plan.preset.files)
	plan.registration, err = registrationFor(c, owner, document)
	return plan, err
}

func registrationFor(c *v1alpha1.OIDCClient, owner string, document *registration.Client) (*acorev1.SecretApplyConfiguration, error) {
	return buildRegistration(c.ProviderKey(), registration.KindClient,
		resources.RegistrationName(c.ProviderKey().Name, registration.KindClient, c.ClientID()), owner, document.WithoutExamples())
}

// registeredSecrets returns the client secrets in a registration.
func registeredSecrets(secret *corev1.Secret) []registration.ClientSecret {
	document, err := registration.Parse[registration.Client](secret.Data[registration.KindClient.File()])
	if err != nil {
		return nil // to be written anew
	}
	return document.Secrets
}

// judgeClient decides ConditionAccepted.
func judgeClient(c *v1alpha1.OIDCClient, state clientState, document *registration.Client) verdict {
	if state.provider == nil {
		return providerNotFound(c.ProviderKey())
	}
	if err := document.Validate(); err != nil {
		return invalidSpec(err)
	}
	if !state.namespaceAllowed {
		return stall(v1alpha1.ReasonNamespaceNotAllowed, fmt.Sprintf(
			"OIDCProvider %q does not admit clients of namespace %q; widen its spec.allowedClients.namespaces or use another provider", c.ProviderKey(), c.Namespace))
	}
	if uri := foreignHost(state.provider, clientURIs(c)); uri != "" {
		return stall(v1alpha1.ReasonRedirectHostNotAllowed, fmt.Sprintf(
			"OIDCProvider %q does not admit the host of %q; change the URI or the provider's spec.allowedClients.redirectHosts", c.ProviderKey(), uri))
	}
	if sector := c.Spec.Subject.SectorIdentifier; sector != "" && foreignHost(state.provider, []string{"https://" + sector}) != "" {
		return stall(v1alpha1.ReasonRedirectHostNotAllowed, fmt.Sprintf(
			"OIDCProvider %q does not admit the host %q as sector identifier; change spec.subject.sectorIdentifier or the provider's spec.allowedClients.redirectHosts",
			c.ProviderKey(), sector))
	}
	if state.reservedFor != "" {
		return stall(v1alpha1.ReasonClientIDTaken, fmt.Sprintf(
			"client ID %q is reserved for namespace %q, whose name it begins with; create the OIDCClient there or with another spec.clientID",
			c.ClientID(), state.reservedFor))
	}
	if state.holder != nil {
		return stall(v1alpha1.ReasonClientIDTaken, fmt.Sprintf(
			"client ID %q belongs to the older OIDCClient %q in namespace %q; delete one of the two or create this one with another spec.clientID",
			c.ClientID(), state.holder.Name, state.holder.Namespace))
	}
	if state.appIDHolder != nil {
		return stall(v1alpha1.ReasonAppIDTaken, fmt.Sprintf(
			"app_id %q belongs to OIDCClient %q in namespace %q; set another spec.preset.synologySSO.appID, or leave it out",
			presets.SynologySSO(c).AppID, state.appIDHolder.Name, state.appIDHolder.Namespace))
	}
	return accept(v1alpha1.ReasonAccepted, fmt.Sprintf("accepted by OIDCProvider %q", c.ProviderKey()))
}

func providerNotFound(key client.ObjectKey) verdict {
	return wait(v1alpha1.ReasonProviderNotFound, fmt.Sprintf(
		"OIDCProvider %q in namespace %q does not exist; create it or correct spec.providerRef", key.Name, key.Namespace))
}

// buildCredentials returns the Secret that the application reads. files are those of its preset.
func buildCredentials(c *v1alpha1.OIDCClient, issuer, secret string, files map[string][]byte) *acorev1.SecretApplyConfiguration {
	data := map[string][]byte{
		keyClientID:      []byte(c.ClientID()),
		keyIssuer:        []byte(issuer),
		keyDiscovery:     []byte(oidc.Endpoint(issuer, oidc.PathDiscovery)),
		keyAuthorization: []byte(oidc.Endpoint(issuer, oidc.PathAuthorization)),
		keyToken:         []byte(oidc.Endpoint(issuer, oidc.PathToken)),
		keyUserinfo:      []byte(oidc.Endpoint(issuer, oidc.PathUserinfo)),
		keyEndSession:    []byte(oidc.Endpoint(issuer, oidc.PathLogout)),
		keyJWKS:          []byte(oidc.Endpoint(issuer, oidc.PathJWKS)),
		keyScopes:        []byte(strings.Join(c.Scopes(), " ")),
	}
	if secret != "" {
		data[keyClientSecret] = []byte(secret)
	}
	maps.Copy(data, files)
	return acorev1.Secret(c.SecretName(), c.Namespace).
		WithType(resources.SecretTypeCredentials).
		WithLabels(c.Spec.Credentials.Labels).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(c.Spec.Credentials.Annotations).
		WithAnnotations(map[string]string{resources.AnnotationOwner: resources.Owner(kindClient, client.ObjectKeyFromObject(c))}).
		WithOwnerReferences(resources.OwnerReference(kindClient, c)).
		WithData(data)
}

// secretPattern is what a client secret that we have made looks like.
var secretPattern = regexp.MustCompile(`^[A-Za-z0-9]{32,128}$`)

// keptSecret returns the client secret that the application can read already, or "". The Secret under the current name
// comes first, then one from before the name was changed. What does not look like a secret of ours is not trusted.
func keptSecret(c *v1alpha1.OIDCClient, state clientState) string {
	candidates := []*corev1.Secret{}
	if state.credentials != nil && ownedBy(resources.Owner(kindClient, client.ObjectKeyFromObject(c)))(state.credentials) {
		candidates = append(candidates, state.credentials)
	}
	for i := range state.owned {
		if isCredentials(&state.owned[i]) && state.owned[i].Namespace == c.Namespace {
			candidates = append(candidates, &state.owned[i])
		}
	}
	for _, s := range candidates {
		if value := string(s.Data[keyClientSecret]); secretPattern.MatchString(value) {
			return value
		}
	}
	return ""
}

func registrationsIn(secrets []corev1.Secret) []*corev1.Secret {
	var found []*corev1.Secret
	for i := range secrets {
		if isRegistration(&secrets[i]) {
			found = append(found, &secrets[i])
		}
	}
	return found
}

// outdated returns the Secrets that were made for the OIDCClient and have no place any more: registrations under another
// name or with another provider, and credentials under a name from before a change.
func outdated(c *v1alpha1.OIDCClient, owned []corev1.Secret) []*corev1.Secret {
	var found []*corev1.Secret
	wanted := client.ObjectKey{
		Namespace: c.ProviderKey().Namespace,
		Name:      resources.RegistrationName(c.ProviderKey().Name, registration.KindClient, c.ClientID()),
	}
	for i := range owned {
		s := &owned[i]
		if isRegistration(s) && client.ObjectKeyFromObject(s) != wanted ||
			isCredentials(s) && s.Namespace == c.Namespace && s.Name != c.SecretName() {
			found = append(found, s)
		}
	}
	return found
}

// newClientSecret returns a random client secret that the application takes.
func newClientSecret(form presets.SecretForm) string {
	return randomText(form.Alphabet, form.Length)
}

func randomText(alphabet string, length int) string {
	text := make([]byte, length)
	for i := range text {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic("no randomness: " + err.Error()) // crypto/rand stops the program before it returns an error
		}
		text[i] = alphabet[n.Int64()]
	}
	return string(text)
}
