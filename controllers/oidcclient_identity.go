package controllers

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	// annotationRegistrationUID on a credentials Secret holds the UID in the registration that was written beside it.
	annotationRegistrationUID = "oidc-operator.dev/registration-uid"
	// annotationCredentialsUID on a client's registration holds the UID of the credentials Secret beside which it was written.
	annotationCredentialsUID = "oidc-operator.dev/credentials-uid"
)

// clientIdentity tells whether what is kept under a client ID is an OIDCClient's: client secrets in its registration, and all that the
// provider keeps.
type clientIdentity struct {
	// uid is that of the registration: of the OIDCClient for which it was made first.
	uid string
	// inherits tells that the registration that stands is the OIDCClient's own.
	inherits bool
}

// identityOf decides who an OIDCClient is. One that is the same object goes on with what it has. Another object of the same name was
// deleted and made again, and begins anew, or was brought back by a backup, and goes on: then its Secrets were brought back, too, and
// are other objects than before. Of those that only say whose they are, the one in the provider's namespace is believed, and
// the other, which its application's people can write, merely confirms it.
func identityOf(c *v1alpha1.OIDCClient, state clientState) clientIdentity {
	before := state.standing
	if before == nil {
		return clientIdentity{uid: string(c.UID)}
	}
	owner := state.registration.Annotations[annotationOwnerUID]
	if owner == string(c.UID) || owner == "" || broughtBack(c, state, before.UID) {
		return clientIdentity{uid: before.UID, inherits: true}
	}
	return clientIdentity{uid: string(c.UID)}
}

// broughtBack tells whether the credentials Secret is a copy of the one beside which the registration was written. The very one stays for a
// while when its OIDCClient is deleted, or for good when it is to be retained.
func broughtBack(c *v1alpha1.OIDCClient, state clientState, uid string) bool {
	original := state.registration.Annotations[annotationCredentialsUID]
	copied := func(s *corev1.Secret) bool {
		of, noted := s.Annotations[annotationRegistrationUID]
		return noted && of == uid && original != "" && string(s.UID) != original && ownCredentials(c)(s)
	}
	if state.credentials != nil && copied(state.credentials) {
		return true
	}
	for i := range state.owned {
		if s := &state.owned[i]; !isRegistration(s) && copied(s) {
			return true
		}
	}
	return false
}

// registeredTo reports whether a Secret, which may be nil, is the registration of an OIDCClient of c's namespace and name.
func registeredTo(c *v1alpha1.OIDCClient, secret *corev1.Secret) bool {
	return incumbent(secret) == ownerOf(c) && isRegistration(secret)
}

// registeredFor returns what a registration Secret says of an OIDCClient of c's namespace and name, or nil.
func registeredFor(c *v1alpha1.OIDCClient, secret *corev1.Secret) *registration.Client {
	if !registeredTo(c, secret) {
		return nil
	}
	document := &registration.Client{}
	if json.Unmarshal(secret.Data[registration.KindClient.File()], document) != nil {
		return nil // to be written anew
	}
	return document
}

// credentialsUID returns what annotationCredentialsUID is to say, or "" when it is known only once the Secret stands.
func credentialsUID(c *v1alpha1.OIDCClient, state clientState, who clientIdentity) string {
	switch s := state.credentials; {
	case s != nil && (ownCredentials(c)(s) || state.adoptable(c, s) == nil):
		return string(s.UID)
	case who.inherits:
		return state.registration.Annotations[annotationCredentialsUID]
	}
	return ""
}
