package controllers

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The kinds, as owner references and AnnotationOwner name them.
const (
	kindProvider   = "OIDCProvider"
	kindSigningKey = "SigningKey"
	kindClient     = "OIDCClient"
	kindUser       = "OIDCUser"
)

// clientPlan is what is to be done about an OIDCClient.
type clientPlan struct {
	accepted verdict
	identity clientIdentity
	// credentialsUID is noted in the registration.
	credentialsUID string
	// secrets is what becomes of the client secret.
	secrets secretsPlan
	// held is the client secret that the plan is made with, and heldIn the name of the Secret that it is from.
	held, heldIn string
	// issuable tells why the credentials Secret cannot be written as it should be unless its outcome is done.
	issuable verdict
	// credentials and registration are what should stand; nil: nothing is to be written.
	credentials  *acorev1.SecretApplyConfiguration
	registration *acorev1.SecretApplyConfiguration
	// update is what can be registered when the credentials cannot be written, since redirect URIs and the like must take effect
	// all the same. Nil: nothing.
	update *acorev1.SecretApplyConfiguration
	// servedSince is the resource version of a registration that served as well as the planned one does, or "".
	servedSince string
	// preset is what the application's preset adds.
	preset presetPlan
	// withdraw are registrations that must end now, because the OIDCClient is not accepted.
	withdraw []*corev1.Secret
	// outdated are Secrets that are not wanted any more once the new ones stand: until then they hold the client secret.
	outdated []*corev1.Secret
}

// planClient decides about an OIDCClient that its preset has filled in. It calls newSecret when a client secret must be made.
func planClient(c *v1alpha1.OIDCClient, state clientState, now time.Time, made *madeSecret, newSecret func(presets.SecretForm) string) (clientPlan, error) {
	who := identityOf(c, state)
	plan := clientPlan{identity: who, credentialsUID: credentialsUID(c, state, who)}
	if c.HasSecret() {
		known := state.secrets(c, who, now, made)
		plan.held, plan.heldIn = known.value, known.heldIn
		plan.secrets = planSecrets(c, known, made, func() string { return newSecret(presets.FormOf(c)) })
	}
	document := buildClientDocument(c, plan.secrets.registered)
	document.UID = who.uid
	plan.preset = planPreset(c, state, plan.secrets.value)
	plan.accepted = plan.preset.judge(judgeClient(c, state, withSecret(c, document)))
	if plan.accepted.outcome == stalled {
		plan.withdraw = registrationsIn(state.owned)
	}
	if plan.accepted.outcome != done {
		return plan, nil
	}
	document = document.WithoutExamples()
	plan.outdated = outdated(c, state.owned)
	plan.planCredentials(c, state)
	var err error
	switch {
	case plan.secrets.first:
		// Nobody can know the secret before it stands.
	case document.Validate() == nil && (plan.secrets.value != "" || registeredTo(c, state.registration)):
		if len(plan.secrets.revokes) == 0 { // Served is to say that no replica takes a revoked one any more
			plan.servedSince = servedSince(state, document, plan.credentialsUID)
		}
		plan.update, err = plan.registrationOf(c, document)
	}
	if err == nil && plan.credentials != nil {
		plan.registration, err = plan.registrationOf(c, document)
	}
	return plan, err
}

// withSecret returns what document will be when there is a client secret, which may have to be waited for.
func withSecret(c *v1alpha1.OIDCClient, document *registration.Client) *registration.Client {
	if !c.HasSecret() || len(document.Secrets) > 0 {
		return document
	}
	later := *document
	later.Secrets = []registration.ClientSecret{clientSecret(registration.HashSecret(""))}
	return &later
}

// planCredentials decides about the application's Secret.
func (p *clientPlan) planCredentials(c *v1alpha1.OIDCClient, state clientState) {
	mine := state.credentials == nil || ownCredentials(c)(state.credentials)
	if !mine {
		if fault := state.adoptable(c, state.credentials); fault != nil {
			p.issuable = *fault
			return
		}
	}
	if field, key := deniedMetadata(state.provider, c); key != "" {
		p.issuable = stall(v1alpha1.ReasonMetadataNotAllowed, fmt.Sprintf(
			"%s has the key %q, on which other controllers may act; remove it, or have it or its prefix listed in spec.allowedClients.secretMetadata of OIDCProvider %q; the Secret stays as it is until then",
			field, key, c.ProviderKey()))
		return
	}
	if c.HasSecret() && p.secrets.value == "" {
		p.issuable = *p.secrets.pending
		return
	}
	data, err := credentialsData(c, state.provider.Spec.Issuer, p.secrets.value, p.preset.files)
	if err != nil {
		p.issuable = stall(v1alpha1.ReasonInvalidTemplate, err.Error()+"; the Secret stays as it is until then")
		return
	}
	var adopted *adoption
	if s := state.credentials; s != nil && (isAdopted(s) || !mine && !state.ownerGone) {
		if data, adopted, err = planAdoption(c, s, data); err != nil {
			p.issuable = stall(v1alpha1.ReasonSecretNotOwned, fmt.Sprintf("Secret %q exists and %s", c.SecretName(), err))
			return
		}
		if !isAdopted(s) {
			adopted = nil
		}
	}
	p.credentials = buildCredentials(c, adopted, data, p.secrets.issued, p.identity.uid)
}

// registrationKey returns the name of the registration Secret of a client.
func registrationKey(c *v1alpha1.OIDCClient) client.ObjectKey {
	return client.ObjectKey{
		Namespace: c.ProviderKey().Namespace,
		Name:      resources.RegistrationName(c.ProviderKey().Name, registration.KindClient, c.ClientID()),
	}
}

func ownerOf(c *v1alpha1.OIDCClient) string {
	return resources.Owner(kindClient, client.ObjectKeyFromObject(c))
}

func (p *clientPlan) registrationOf(c *v1alpha1.OIDCClient, document *registration.Client) (*acorev1.SecretApplyConfiguration, error) {
	secret, err := buildRegistration(c.ProviderKey(), registration.KindClient, registrationKey(c).Name, ownerOf(c), document)
	if err != nil {
		return nil, err
	}
	reserves := !releases(c) && (!ownedByForm(c.ClientID(), c.Namespace) || document.SynologySSO != nil)
	if c.Namespace == c.ProviderKey().Namespace && !reserves {
		// One in another namespace would be taken for gone. One that leaves a reservation must not be collected before it has.
		secret.WithOwnerReferences(resources.SharedOwnerReference(kindClient, c))
	}
	annotations := map[string]string{annotationOwnerUID: string(c.UID)}
	if releases(c) {
		annotations[v1alpha1.AnnotationReleaseClientID] = "true"
	}
	if document.SynologySSO != nil {
		annotations[annotationAppID] = document.SynologySSO.AppID
	}
	if p.servedSince != "" {
		annotations[annotationServedSince] = p.servedSince
	}
	if p.credentialsUID != "" {
		annotations[annotationCredentialsUID] = p.credentialsUID
	}
	return secret.WithAnnotations(annotations), nil
}

// registeredSecrets returns the client secrets in what registeredFor has returned. They are not inherited from another OIDCClient that has
// had the client ID.
func registeredSecrets(document *registration.Client) []registration.ClientSecret {
	if document == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(document.Secrets), func(s registration.ClientSecret) bool { return !s.Valid() })
}

// judgeClient decides ConditionAccepted.
func judgeClient(c *v1alpha1.OIDCClient, state clientState, document *registration.Client) verdict {
	if state.provider == nil {
		return providerNotFound(c.ProviderKey())
	}
	if refused, ok := judgeSize(c); !ok {
		return refused
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
	if taken := judgeOwnership(c, state); taken != nil {
		return *taken
	}
	return accept(v1alpha1.ReasonAccepted, fmt.Sprintf("accepted by OIDCProvider %q", c.ProviderKey()))
}

func providerNotFound(key client.ObjectKey) verdict {
	return wait(v1alpha1.ReasonProviderNotFound, fmt.Sprintf(
		"OIDCProvider %q in namespace %q does not exist; create it or correct spec.providerRef", key.Name, key.Namespace))
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
	wanted := registrationKey(c)
	for i := range owned {
		s := &owned[i]
		if isRegistration(s) && client.ObjectKeyFromObject(s) != wanted ||
			!isRegistration(s) && ownCredentials(c)(s) && s.Name != c.SecretName() && !retainsSecret(c, s.Type) {
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
