package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// secretsOf returns the Secrets that name owner in their annotation, as the cache has them: not to be changed. Whoever can write Secrets in
// some namespace can write that annotation too: look only in namespaces whose Secrets are the owner's business (scope), and
// trust nothing that is read from others.
func secretsOf(ctx context.Context, reader client.Reader, owner string, scope ...client.ListOption) ([]corev1.Secret, error) {
	list := &corev1.SecretList{}
	if err := reader.List(ctx, list, append(scope, client.MatchingFields{indexOwner: owner}, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, fmt.Errorf("list secrets of %s: %w", owner, err)
	}
	return list.Items, nil
}

// readSecret returns a Secret as reader, the cache or the API server, has it, or nil.
func readSecret(ctx context.Context, reader client.Reader, key client.ObjectKey) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if err := reader.Get(ctx, key, secret); apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none, which is no error
	} else if err != nil {
		return nil, fmt.Errorf("get secret %s: %w", key, err)
	}
	return secret, nil
}

// isRegistration goes by the type, which nobody can change, and by the label, which a retained key has lost.
func isRegistration(secret *corev1.Secret) bool {
	return secret.Type == registration.SecretType && secret.Labels[registration.LabelKind] != ""
}

func isCredentials(secret *corev1.Secret) bool {
	return secret.Type == resources.SecretTypeCredentials
}

// providerOfRegistration returns the provider of a registration or reservation.
func providerOfRegistration(secret *corev1.Secret) types.NamespacedName {
	return types.NamespacedName{Namespace: secret.Namespace, Name: secret.Labels[registration.LabelProvider]}
}

// buildRegistration returns the Secret, in the provider's namespace, that holds document.
func buildRegistration(provider types.NamespacedName, kind registration.Kind, name, owner string, document any) (*acorev1.SecretApplyConfiguration, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode %s registration: %w", kind, err)
	}
	return acorev1.Secret(name, provider.Namespace).
		WithType(registration.SecretType).
		WithLabels(map[string]string{
			resources.LabelManagedBy:   resources.ManagedBy,
			registration.LabelProvider: provider.Name,
			registration.LabelKind:     string(kind),
		}).
		WithAnnotations(map[string]string{resources.AnnotationOwner: owner}).
		WithData(map[string][]byte{kind.File(): data}), nil
}

// ownedRegistration tests for registration Secrets of one kind, and for reservations of what they had, whoever their owner is: of two
// resources that want the same registration the one with the right to it takes it over.
func ownedRegistration(kind registration.Kind) func(metav1.Object) bool {
	return func(obj metav1.Object) bool {
		labels := obj.GetLabels()
		return resources.Managed(obj) && (labels[registration.LabelKind] == string(kind) || labels[registration.LabelKind] == "" && labels[resources.LabelReservation] == string(kind))
	}
}

// orphans returns the Secrets of a resource that is gone, or none when it is there after all: it is looked for past the
// cache, because a cache that lags must not end logins. gone is an empty object of the resource's kind.
func (o objects) orphans(ctx context.Context, owner string, gone client.Object, key types.NamespacedName, scope ...client.ListOption) ([]corev1.Secret, error) {
	secrets, err := secretsOf(ctx, o.client, owner, scope...)
	if err != nil || len(secrets) == 0 {
		return nil, err
	}
	err = o.live.Get(ctx, key, gone)
	if apierrors.IsNotFound(err) {
		return secrets, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", owner, err)
	}
	return nil, nil
}

// withdraw deletes the registrations of a resource that is gone. Its other Secrets go with their owner reference.
func (o objects) withdraw(ctx context.Context, owner string, gone client.Object, key types.NamespacedName, scope ...client.ListOption) error {
	secrets, err := o.orphans(ctx, owner, gone, key, scope...)
	if err != nil {
		return err
	}
	for i := range secrets {
		if !isRegistration(&secrets[i]) {
			continue
		}
		if err := o.remove(ctx, &secrets[i]); err != nil {
			return err
		}
	}
	return nil
}

// registered is what came of writing a registration.
type registered struct {
	// version is the resource version of the registration Secret.
	version string
	// written tells whether it had to be written.
	written bool
	// ready are the reports of the provider's ready replicas.
	ready []replicaReport
	// since is when the wait for these to apply it began.
	since time.Time
}

// patience is how long nothing is said of a wait for replicas that will most likely be over by then.
const patience = time.Second

// hold returns how much longer the status of a resource may be left as it is, or 0. A status about an earlier spec says nothing
// wrong of this one, and that replicas and keys need some milliseconds is no news: it would cost each change a write and an event more. What
// is not over in time is told.
func (r *registered) hold(before, after resource, observed int64, now time.Time) time.Duration {
	ready := meta.FindStatusCondition(*after.Conditions(), v1alpha1.ConditionReady)
	if r == nil || before.GetGeneration() == observed || ready == nil || ready.Reason != v1alpha1.ReasonAwaitingReplicas && ready.Reason != v1alpha1.ReasonAwaitingSigningKey {
		return 0
	}
	return max(0, r.since.Add(patience).Sub(now))
}

// registrar writes registrations and keeps track of which are not served yet.
type registrar struct {
	objects objects
	waiters *waiters
	now     func() time.Time
}

// register brings a registration about and reads how far the provider's replicas are. The resource waits for their
// reports until the registration is served.
func (r registrar) register(ctx context.Context, provider, resource types.NamespacedName, kind registration.Kind, desired *acorev1.SecretApplyConfiguration, current *corev1.Secret) (*registered, error) {
	result, err := r.objects.applySecret(ctx, desired, current, ownedRegistration(kind))
	if err != nil {
		return nil, err
	}
	since := r.waiters.add(provider, resource, result.version, r.now())
	ready, err := readyReplicas(ctx, r.objects.client, provider, r.now())
	if err != nil {
		return nil, err
	}
	if judgeServed(ready, result.version, false).outcome == done {
		r.waiters.remove(provider, resource)
	}
	return &registered{version: result.version, written: result.written, ready: ready, since: since}, nil
}

// forget ends the wait of a resource that has no registration.
func (r registrar) forget(provider, resource types.NamespacedName) {
	r.waiters.remove(provider, resource)
}

// judgeRegistration decides ConditionServed from what came of registering. before are the conditions until now.
func judgeRegistration(before []metav1.Condition, generation int64, result *registered, taken *notOwnedError) verdict {
	if taken != nil {
		return stall(v1alpha1.ReasonRegistrationNotOwned, fmt.Sprintf(
			"Secret %q in namespace %q has the name of the registration and was not made by the operator; delete it", taken.name, taken.namespace))
	}
	if result == nil {
		return wait(v1alpha1.ReasonNotRegistered, "not registered with the provider; see the other conditions")
	}
	return judgeServed(result.ready, result.version, result.servedBefore(before, generation))
}

// servedBefore tells whether a registration was served according to the conditions and has not changed since.
func (r *registered) servedBefore(before []metav1.Condition, generation int64) bool {
	was := meta.FindStatusCondition(before, v1alpha1.ConditionServed)
	return r != nil && !r.written && was != nil && was.Status == metav1.ConditionTrue && was.ObservedGeneration == generation
}
