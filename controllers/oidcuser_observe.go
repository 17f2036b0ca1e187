package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// annotationPasswordSource is on a user's registration: the version of the Secret key whose password was hashed. A hash
// has a fresh salt each time, so that without it every reconcile would find another hash to write.
const annotationPasswordSource = "oidc-operator.dev/password-source"

// userState is everything that a decision about an OIDCUser depends on.
type userState struct {
	// provider is nil when it does not exist.
	provider *v1alpha1.OIDCProvider
	// sameUsername and sameSubject are older OIDCUsers of the provider that have the username or the subject, or nil.
	sameUsername, sameSubject *v1alpha1.OIDCUser
	// sameEmail names another OIDCUser of the provider that has the e-mail address, the first by name, or is empty.
	sameEmail string
	// registration is the registration Secret under its name as the cache has it, whoever it is for, or nil.
	registration *corev1.Secret
	// registered is what is registered of this user, under whatever name, or nil; registeredHash is the password hash in it, and
	// registeredSource where that came from.
	registered                       *registration.User
	registeredHash, registeredSource string
	// password is the Secret that holds, or is to hold, the password, or nil. When its version is the one that
	// registeredHash came from, Data may be empty: nobody needs to read the password again.
	password *corev1.Secret
	// owned are all Secrets that were made for the OIDCUser.
	owned []corev1.Secret
}

func (r *userReconciler) observe(ctx context.Context, u *v1alpha1.OIDCUser) (userState, error) {
	var state userState
	var err error
	owner := resources.Owner(kindUser, client.ObjectKeyFromObject(u))
	if state.owned, err = secretsOf(ctx, r.client, owner, client.InNamespace(u.Namespace)); err != nil {
		return state, err
	}
	name := client.ObjectKey{Namespace: u.Namespace, Name: userRegistrationName(u)}
	if state.registration, err = readSecret(ctx, r.client, name); err != nil {
		return state, err
	}
	for i := range state.owned {
		if isRegistration(&state.owned[i]) {
			state.knowRegistered(&state.owned[i])
		}
	}
	if state.password, err = r.password(ctx, u, state.registeredSource); err != nil {
		return state, err
	}
	if state.password != nil && state.registration == nil && state.registered == nil {
		// Asked past the cache, because another hash of a password that is registered already would end what has begun with it.
		if state.registration, err = readSecret(ctx, r.objects.live, name); err != nil {
			return state, err
		}
		if state.registration != nil && ownedBy(owner)(state.registration) && isRegistration(state.registration) {
			state.knowRegistered(state.registration)
		}
	}
	provider := &v1alpha1.OIDCProvider{}
	if err := r.client.Get(ctx, u.ProviderKey(), provider); apierrors.IsNotFound(err) {
		return state, nil
	} else if err != nil {
		return state, fmt.Errorf("get provider: %w", err)
	}
	state.provider = provider
	username := scoped(u.ProviderKey(), registration.FoldUsername(u.Username()))
	if state.sameUsername, err = r.olderUser(ctx, u, indexUsername, username, standingRegistration{name, state.registration}); err != nil {
		return state, err
	}
	if state.sameSubject, err = r.olderUser(ctx, u, indexSubject, scoped(u.ProviderKey(), subject(u, provider.Spec.Issuer)), standingRegistration{}); err != nil {
		return state, err
	}
	state.sameEmail, err = r.userOfEmail(ctx, u)
	return state, err
}

// userOfEmail returns the first by name of the other OIDCUsers that have the same e-mail address, or "".
func (r *userReconciler) userOfEmail(ctx context.Context, u *v1alpha1.OIDCUser) (name string, err error) {
	if u.Spec.Email == "" {
		return "", nil
	}
	same := &v1alpha1.OIDCUserList{}
	fields := client.MatchingFields{indexEmail: scoped(u.ProviderKey(), registration.FoldEmail(u.Spec.Email))}
	if err := r.client.List(ctx, same, client.InNamespace(u.Namespace), fields); err != nil {
		return "", fmt.Errorf("list users of the same %s: %w", indexEmail, err)
	}
	for i := range same.Items {
		if other := same.Items[i].Name; other != u.Name && (name == "" || other < name) {
			name = other
		}
	}
	return name, nil
}

func userRegistrationName(u *v1alpha1.OIDCUser) string {
	return resources.RegistrationName(u.ProviderKey().Name, registration.KindUser, registration.FoldUsername(u.Username()))
}

// knowRegistered takes what is known of the user from the registration.
func (s *userState) knowRegistered(secret *corev1.Secret) {
	s.registered, s.registeredSource = registeredUser(secret)
	s.registeredHash = hashIn(s.registered)
}

// registeredUser returns a user's registration and where the password hash in it came from.
func registeredUser(secret *corev1.Secret) (u *registration.User, source string) {
	u = &registration.User{}
	if err := json.Unmarshal(secret.Data[registration.KindUser.File()], u); err != nil {
		return nil, "" // to be written anew
	}
	return u, secret.Annotations[annotationPasswordSource]
}

func hashIn(u *registration.User) string {
	if u == nil {
		return ""
	}
	return u.PasswordHash
}

// password returns the Secret with the password. It reads the content of a Secret that is not ours only when its version
// differs from the one whose password is registered.
func (r *userReconciler) password(ctx context.Context, u *v1alpha1.OIDCUser, registeredSource string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if u.Spec.PasswordSecretRef == nil {
		found, err := r.objects.get(ctx, client.ObjectKey{Namespace: u.Namespace, Name: u.GeneratedPasswordSecretName()}, secret)
		if !found {
			return nil, err
		}
		return secret, nil
	}
	ref := u.Spec.PasswordSecretRef
	key := client.ObjectKey{Namespace: u.Namespace, Name: ref.Name}
	metadata := &metav1.PartialObjectMetadata{}
	metadata.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	if err := r.foreign.Get(ctx, key, metadata); err == nil && keyVersion(metadata, passwordKey(u)) == registeredSource {
		secret.ObjectMeta = metadata.ObjectMeta
		return secret, nil
	}
	if err := r.objects.live.Get(ctx, key, secret); apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none, which is no error
	} else if err != nil {
		return nil, fmt.Errorf("get secret %s: %w", key, err)
	}
	return secret, nil
}

// keyVersion names one version of one key of a Secret or ConfigMap.
func keyVersion(obj metav1.Object, key string) string {
	return obj.GetName() + "/" + key + "/" + obj.GetResourceVersion()
}

// olderUser returns the first of the OIDCUsers that precede u and have the same value of an index, or nil. standing is the registration
// under the value, if it is one.
func (r *userReconciler) olderUser(ctx context.Context, u *v1alpha1.OIDCUser, index, value string, standing standingRegistration) (*v1alpha1.OIDCUser, error) {
	same := &v1alpha1.OIDCUserList{}
	if err := r.client.List(ctx, same, client.InNamespace(u.Namespace), client.MatchingFields{index: value}); err != nil {
		return nil, fmt.Errorf("list users of the same %s: %w", index, err)
	}
	incumbent, err := r.objects.incumbent(ctx, standing, contested(u, same.Items))
	if err != nil {
		return nil, err
	}
	first := u
	for i := range same.Items {
		if other := &same.Items[i]; other.UID != u.UID && precedes(kindUser, incumbent, other, first) {
			first = other
		}
	}
	if first == u {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	return first, nil
}
