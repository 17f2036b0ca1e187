package controllers

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The keys of a Secret with a generated password.
const (
	keyUsername = "username"
	keyPassword = "password"
)

// userPlan is what is to be done about an OIDCUser.
type userPlan struct {
	accepted verdict
	// password decides ConditionCredentialsReady.
	password verdict
	// generated is the Secret for a generated password; nil: none is to be written.
	generated *acorev1.SecretApplyConfiguration
	// value is the password, or a hash of it, as it stands in the Secret; empty when the registered hash is to stay.
	value string
	// source names the version of the Secret that value is from; empty when generated has it.
	source string
	// hash is the password hash that is registered already, or empty.
	hash, hashSource string
	// document is what is to be registered, still without password hash; nil: nothing.
	document *registration.User
	// outdated are Secrets that were made for the OIDCUser and are not wanted any more once the new ones stand.
	outdated []*corev1.Secret
}

// planUser decides about an OIDCUser. It calls newPassword when a password must be made.
func planUser(u *v1alpha1.OIDCUser, state userState, newPassword func() string) userPlan {
	document := buildUserDocument(u, state.provider)
	plan := userPlan{
		accepted:   judgeUser(u, state, document),
		password:   wait(v1alpha1.ReasonNotAccepted, "no password is set until the OIDCUser is accepted"),
		hash:       state.registeredHash,
		hashSource: state.registeredSource,
	}
	if plan.accepted.outcome == stalled {
		plan.outdated = registrationsIn(state.owned)
	}
	if plan.accepted.outcome != done {
		return plan
	}
	if u.Spec.PasswordSecretRef != nil {
		plan.takePassword(u, state)
	} else {
		plan.generatePassword(u, state, newPassword)
	}
	// Without a password there is nobody to register, but a registration that stands is kept up to date: it must be
	// possible to disable somebody whose password Secret is gone.
	if plan.password.outcome == done || plan.hash != "" {
		plan.document = document
		plan.outdated = plan.outdatedOf(u, state.owned)
	}
	return plan
}

// takePassword decides about a password that was brought.
func (p *userPlan) takePassword(u *v1alpha1.OIDCUser, state userState) {
	name, key := u.Spec.PasswordSecretRef.Name, passwordKey(u)
	if state.password == nil {
		p.password = wait(v1alpha1.ReasonPasswordSecretNotFound, fmt.Sprintf(
			"Secret %q does not exist; create it with the password under the key %q or correct spec.passwordSecretRef", name, key))
		return
	}
	source := keyVersion(state.password, key)
	if source == p.hashSource && p.hash != "" {
		p.password, p.source = passwordIn(name), source
		return
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(state.password.Data[key]), "\n"), "\r")
	fault := passwordFault(name, key, value)
	switch {
	case value == "":
		p.password = wait(v1alpha1.ReasonPasswordKeyNotFound, fmt.Sprintf(
			"Secret %q has nothing under the key %q; add the password there or correct spec.passwordSecretRef.key", name, key))
	case fault != "":
		p.password = wait(v1alpha1.ReasonPasswordInvalid, fault)
	default:
		p.password, p.value, p.source = passwordIn(name), value, source
	}
}

// passwordFault says why what a Secret holds can be no password and no hash of one, or returns "". What looks like a hash is never
// taken for a password: then everybody could log in who has seen the hash.
func passwordFault(name, key, value string) string {
	if len(value) > registration.MaxPasswordBytes {
		return fmt.Sprintf("Secret %q has more than %d bytes under the key %q; use a shorter password", name, registration.MaxPasswordBytes, key)
	}
	if !registration.IsPasswordHash(value) {
		return ""
	}
	fault := registration.ValidatePasswordHash(value)
	if fault == nil {
		return ""
	}
	return fmt.Sprintf("Secret %q has under the key %q what looks like a password hash and %s; write the password itself there, or a hash of one of the kinds %s",
		name, key, fault, registration.HashKinds)
}

// generatePassword decides about a password of our own.
func (p *userPlan) generatePassword(u *v1alpha1.OIDCUser, state userState, newPassword func() string) {
	name := u.GeneratedPasswordSecretName()
	owner := resources.Owner(kindUser, client.ObjectKeyFromObject(u))
	if state.password != nil && !ownedBy(owner)(state.password) {
		p.password = secretOfOthers(name)
		return
	}
	if state.password != nil {
		p.value = string(state.password.Data[keyPassword])
	}
	if fault := passwordFault(name, keyPassword, p.value); fault != "" && len(p.value) <= registration.MaxPasswordBytes {
		p.password, p.value = wait(v1alpha1.ReasonPasswordInvalid, fault), ""
		return
	}
	if p.value == "" || len(p.value) > registration.MaxPasswordBytes {
		p.value = newPassword()
	}
	p.password = passwordIn(name)
	p.generated = acorev1.Secret(name, u.Namespace).
		WithType(resources.SecretTypeCredentials).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(map[string]string{resources.AnnotationOwner: owner}).
		WithOwnerReferences(resources.OwnerReference(kindUser, u)).
		WithData(map[string][]byte{keyUsername: []byte(u.Username()), keyPassword: []byte(p.value)})
}

func passwordIn(name string) verdict {
	return accept(v1alpha1.ReasonCredentialsIssued, fmt.Sprintf("Secret %q holds the password", name))
}

func secretOfOthers(name string) verdict {
	return stall(v1alpha1.ReasonSecretNotOwned, fmt.Sprintf(
		"Secret %q exists and is not owned by this OIDCUser; delete it, or name it in spec.passwordSecretRef", name))
}

func passwordKey(u *v1alpha1.OIDCUser) string {
	if u.Spec.PasswordSecretRef == nil || u.Spec.PasswordSecretRef.Key == "" {
		return keyPassword
	}
	return u.Spec.PasswordSecretRef.Key
}

// hashFor returns the hash to register for a password that stands in the Secret version source: the one that is registered
// when that is of the same password, since hashing anew would give another one each time.
func (p *userPlan) hashFor(source string) string {
	switch {
	case p.hash != "" && (p.value == "" || p.hashSource == source):
		return p.hash
	case registration.IsPasswordHash(p.value):
		return p.value
	case p.hash != "" && slices.ContainsFunc(registration.PasswordForms(p.value), func(form string) bool { return registration.CheckPassword(p.hash, form) }):
		return p.hash
	case p.value == "":
		return ""
	default:
		return registration.HashPassword(registration.PreparePassword(p.value))
	}
}

// judgeUser decides ConditionAccepted.
func judgeUser(u *v1alpha1.OIDCUser, state userState, document *registration.User) verdict {
	if state.provider == nil {
		return providerNotFound(u.ProviderKey())
	}
	if err := document.Validate(); err != nil {
		return invalidSpec(err)
	}
	if state.sameUsername != nil {
		return stall(v1alpha1.ReasonUsernameTaken, fmt.Sprintf(
			"username %q belongs to the older OIDCUser %q; change spec.username of one of the two", u.Username(), state.sameUsername.Name))
	}
	if state.sameSubject != nil {
		return stall(v1alpha1.ReasonSubjectTaken, fmt.Sprintf(
			"subject %q belongs to the older OIDCUser %q; create this one with another spec.subject", document.Subject, state.sameSubject.Name))
	}
	accepted := fmt.Sprintf("accepted by OIDCProvider %q", u.ProviderKey().Name)
	if state.sameEmail != "" {
		accepted += fmt.Sprintf("; no OIDCClient of subject mode Email lets this person in, because OIDCUser %q has the same e-mail address: "+
			"change spec.email of one of the two", state.sameEmail)
	}
	return accept(v1alpha1.ReasonAccepted, accepted)
}

// subject returns the sub claim of a user: that of the spec, or a UUID that only issuer, namespace and name decide.
func subject(u *v1alpha1.OIDCUser, issuer string) string {
	if u.Spec.Subject != "" {
		return u.Spec.Subject
	}
	return uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte(issuer)), []byte(u.Namespace+"/"+u.Name)).String()
}

// buildUserDocument translates the spec into the registration that the provider reads, but for the password hash.
func buildUserDocument(u *v1alpha1.OIDCUser, provider *v1alpha1.OIDCProvider) *registration.User {
	if provider == nil {
		return nil
	}
	s := &u.Spec
	document := &registration.User{
		Subject:             subject(u, provider.Spec.Issuer),
		Username:            u.Username(),
		Name:                s.DisplayName,
		GivenName:           s.GivenName,
		FamilyName:          s.FamilyName,
		MiddleName:          s.MiddleName,
		Nickname:            s.Nickname,
		Profile:             s.Profile,
		Picture:             s.Picture,
		Website:             s.Website,
		Gender:              s.Gender,
		Birthdate:           s.Birthdate,
		Zoneinfo:            s.Zoneinfo,
		Locale:              s.Locale,
		Email:               s.Email,
		EmailVerified:       isTrue(s.EmailVerified),
		PhoneNumber:         s.PhoneNumber,
		PhoneNumberVerified: isTrue(s.PhoneNumberVerified),
		Groups:              s.Groups,
		Disabled:            isTrue(s.Disabled),
	}
	if a := s.Address; a != nil {
		document.Address = &registration.Address{
			Formatted: a.Formatted, StreetAddress: a.StreetAddress, Locality: a.Locality,
			Region: a.Region, PostalCode: a.PostalCode, Country: a.Country,
		}
	}
	return document
}

// updatedAt returns when what applications get to know of a user was last changed, in seconds since the epoch. The registration
// that stands remembers it, so that nothing is written while nothing changes: one that does not say it goes on not to.
func updatedAt(document, registered *registration.User, now time.Time) int64 {
	if registered == nil {
		return now.Unix()
	}
	before, after := *registered, *document
	for _, u := range []*registration.User{&before, &after} {
		u.UpdatedAt, u.PasswordHash, u.Disabled = 0, "", false // none of which is told to anybody
		if len(u.Groups) == 0 {
			u.Groups = nil
		}
	}
	if reflect.DeepEqual(before, after) {
		return registered.UpdatedAt
	}
	return now.Unix()
}

func isTrue(b *bool) bool { return b != nil && *b }

// outdatedOf returns the Secrets that were made for the OIDCUser and have no place any more: registrations under another
// name, and a generated password when another one is in force that was brought in another Secret.
func (p *userPlan) outdatedOf(u *v1alpha1.OIDCUser, owned []corev1.Secret) []*corev1.Secret {
	var found []*corev1.Secret
	for i := range owned {
		s := &owned[i]
		if isRegistration(s) && s.Name != userRegistrationName(u) ||
			isCredentials(s) && s.Name != u.PasswordSecretName() && p.password.outcome == done {
			found = append(found, s)
		}
	}
	return found
}

// newPassword returns 24 random alphanumeric characters, 142 bits.
func newPassword() string {
	return randomText(presets.Alphanumeric, 24)
}
