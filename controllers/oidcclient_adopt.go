package controllers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// A Secret that the operator has not made takes part in an OIDCClient only when the Secret says so itself: the operator can access every
// Secret, and the author of an OIDCClient usually cannot.
//
//  1. The annotation v1alpha1.AnnotationAllowClient of the Secret names the OIDCClient, for adopt as for existingSecretRef. Whoever can
//     write the Secret decides; the operator never writes the annotation.
//  2. Adopting adds keys, labels and annotations, and changes none that was there before, except the client secret when it is rotated.
//  3. The operator never deletes the Secret. With deletionPolicy Delete it removes what it has added.
//  4. A Secret that the operator has made for an OIDCClient that is gone can be adopted by the same rules. The operator then owns all of it.
//
// A Secret that names the OIDCClient as its owner already was adopted before, and needs no further consent.

// annotationAdoption on an adopted Secret holds what the operator has added to it.
const annotationAdoption = "oidc-operator.dev/adoption"

// adoption is what annotationAdoption says.
type adoption struct {
	// Data, Labels and Annotations are the keys that were not there before.
	Data        []string `json:"data,omitempty"`
	Labels      []string `json:"labels,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
	// Updated are keys of the data that were there before and that the operator keeps up to date: that of the client secret, and those that a
	// version of the operator has written that did not record them.
	Updated []string `json:"updated,omitempty"`

	resourceVersion string
}

// isAdopted reports whether a Secret with the operator's marks is one that the operator has not made: its own have types of their own.
func isAdopted(secret *corev1.Secret) bool {
	return secret.Type != resources.SecretTypeCredentials && secret.Type != registration.SecretType
}

// allowedClients returns the OIDCClients that a Secret allows to use it.
func allowedClients(secret metav1.Object) []string {
	var names []string
	for name := range strings.SplitSeq(secret.GetAnnotations()[v1alpha1.AnnotationAllowClient], ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// allowCommand returns the command by which a Secret that allows some OIDCClients allows another one.
func allowCommand(c *v1alpha1.OIDCClient, secretName string, allowed []string) string {
	overwrite := ""
	if len(allowed) > 0 {
		overwrite = " --overwrite"
	}
	return fmt.Sprintf("kubectl -n %s annotate%s secret %s %s=%s", c.Namespace, overwrite, secretName,
		v1alpha1.AnnotationAllowClient, strings.Join(append(slices.Clone(allowed), c.Name), ","))
}

// observeUnowned reads what decides whether a Secret of somebody else, under the name of the credentials Secret, may be adopted.
func (r *clientReconciler) observeUnowned(ctx context.Context, c *v1alpha1.OIDCClient, state *clientState) (err error) {
	secret := state.credentials
	if secret == nil || ownCredentials(c)(secret) {
		return nil
	}
	if state.purpose, err = r.purposeOf(ctx, client.ObjectKeyFromObject(secret)); err != nil {
		return err
	}
	name, is := strings.CutPrefix(secret.Annotations[resources.AnnotationOwner], kindClient+"/"+c.Namespace+"/")
	if !is {
		return nil
	}
	// Past the cache: a client secret must not pass to another OIDCClient because a cache is stale.
	err = r.objects.live.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: name}, &v1alpha1.OIDCClient{})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get owner of secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	state.ownerGone = apierrors.IsNotFound(err)
	return nil
}

// adoptable returns why a Secret of somebody else cannot be taken over, or nil. What another controller keeps stays with
// that, and of the types only the one that says nothing of what the Secret is for.
func (s clientState) adoptable(c *v1alpha1.OIDCClient, secret *corev1.Secret) *verdict {
	taken := func(reason, format string, args ...any) *verdict {
		v := stall(reason, fmt.Sprintf("Secret %q exists and is not owned by this OIDCClient", secret.Name)+fmt.Sprintf(format, args...))
		return &v
	}
	owner := secret.Annotations[resources.AnnotationOwner]
	controller := metav1.GetControllerOf(secret)
	allowed := allowedClients(secret)
	consents := slices.Contains(allowed, c.Name) || owner == ownerOf(c)
	const elsewhere = "set spec.credentials.secretName"
	switch {
	case s.purpose != "":
		return taken(v1alpha1.ReasonSecretNotOwned, "; it is for %s and cannot be adopted; %s", s.purpose, elsewhere)
	case owner != "" && owner != ownerOf(c) && !s.ownerGone:
		return taken(v1alpha1.ReasonSecretNotOwned, "; it belongs to %s and cannot be adopted; %s", owner, elsewhere)
	case controller != nil && controller.UID != c.UID && !s.ownerGone:
		return taken(v1alpha1.ReasonSecretNotOwned, "; it is kept by %s %q and cannot be adopted; %s", controller.Kind, controller.Name, elsewhere)
	case secret.Type != corev1.SecretTypeOpaque && secret.Type != "" && !isCredentials(secret):
		return taken(v1alpha1.ReasonSecretNotOwned, "; it is of type %s and cannot be adopted, which only Opaque Secrets can be; %s", secret.Type, elsewhere)
	case secret.Immutable != nil && *secret.Immutable:
		return taken(v1alpha1.ReasonSecretNotOwned, "; it is immutable and cannot be adopted; %s", elsewhere)
	case !c.Adopts() && !consents:
		return taken(v1alpha1.ReasonSecretNotOwned, "; delete it, or %s, or, to have it adopted, set spec.credentials.adopt and let the Secret allow it: %s",
			elsewhere, allowCommand(c, secret.Name, allowed))
	case !c.Adopts():
		return taken(v1alpha1.ReasonSecretNotOwned, "; delete it, or %s, or set spec.credentials.adopt to have it adopted", elsewhere)
	case !consents:
		return taken(v1alpha1.ReasonSecretNotAllowed, " and does not allow it to be adopted; whoever may write the Secret can allow it: %s; or %s",
			allowCommand(c, secret.Name, allowed), elsewhere)
	}
	return nil
}

// planAdoption returns which of the data is to be written into a Secret that the operator has not made, and what is to be recorded there.
// An error names the keys under which the Secret holds something else: what is there may be what another application reads.
func planAdoption(c *v1alpha1.OIDCClient, secret *corev1.Secret, data map[string][]byte) (map[string][]byte, *adoption, error) {
	var before adoption
	recorded := json.Unmarshal([]byte(secret.Annotations[annotationAdoption]), &before) == nil
	unrecorded := !recorded && ownCredentials(c)(secret) // adopted by a version that did not record it
	secretKey := string(c.CredentialsKeys().ClientSecret)
	plan := &adoption{resourceVersion: secret.ResourceVersion}
	written := map[string][]byte{}
	var conflicts []string
	for _, key := range slices.Sorted(maps.Keys(data)) {
		current, is := secret.Data[key]
		equal := is && bytes.Equal(current, data[key])
		switch {
		case !is || slices.Contains(before.Data, key):
			plan.Data = append(plan.Data, key)
		case slices.Contains(before.Updated, key), equal && (unrecorded || key == secretKey), unrecorded && key == secret.Annotations[annotationSecretKey]:
			plan.Updated = append(plan.Updated, key)
		case equal:
			continue // it stays whose it is
		default:
			conflicts = append(conflicts, fmt.Sprintf("%q", key))
			continue
		}
		written[key] = data[key]
	}
	if len(conflicts) > 0 {
		return nil, nil, fmt.Errorf("holds something else under %s than this OIDCClient would write, and adopting changes nothing that is there; "+
			"remove it there, set spec.credentials.keys, or create the OIDCClient with the spec.clientID that is there", strings.Join(conflicts, ", "))
	}
	var err error
	if plan.Labels, err = added("label", secret.Labels, c.Spec.Credentials.Labels, before.Labels, unrecorded); err != nil {
		return nil, nil, err
	}
	plan.Annotations, err = added("annotation", secret.Annotations, c.Spec.Credentials.Annotations, before.Annotations, unrecorded)
	return written, plan, err
}

// added returns which of the wanted labels or annotations the operator adds, or an error that names one that is there with another value.
func added(what string, current, wanted map[string]string, before []string, unrecorded bool) ([]string, error) {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		value, is := current[key]
		switch {
		case !is || slices.Contains(before, key) || unrecorded && value == wanted[key]:
			keys = append(keys, key)
		case value != wanted[key]:
			return nil, fmt.Errorf("has another value of the %s %q than spec.credentials.%ss, and adopting changes nothing that is there; remove one of the two", what, key, what)
		}
	}
	return keys, nil
}

// complete adds to what is written into an adopted Secret what is recorded there, and takes out what is not the operator's. The resource
// version keeps a plan off a Secret that has changed since.
func (a *adoption) complete(c *v1alpha1.OIDCClient, secret *acorev1.SecretApplyConfiguration) *acorev1.SecretApplyConfiguration {
	for key := range c.Spec.Credentials.Labels {
		if !slices.Contains(a.Labels, key) && key != resources.LabelManagedBy {
			delete(secret.Labels, key)
		}
	}
	for key := range c.Spec.Credentials.Annotations {
		if !slices.Contains(a.Annotations, key) {
			delete(secret.Annotations, key)
		}
	}
	record, err := json.Marshal(a)
	if err != nil {
		panic("texts become JSON: " + err.Error())
	}
	annotations := map[string]string{annotationAdoption: string(record)}
	if c.Spec.Credentials.DeletionPolicy == v1alpha1.DeletionPolicyDelete {
		annotations[resources.AnnotationDeletionPolicy] = string(v1alpha1.DeletionPolicyDelete)
	}
	return secret.WithAnnotations(annotations).WithResourceVersion(a.resourceVersion)
}

// releasedAtDeletion reports whether what the operator has added to an adopted Secret goes with the OIDCClient.
func releasedAtDeletion(secret *corev1.Secret) bool {
	return secret.Annotations[resources.AnnotationDeletionPolicy] == string(v1alpha1.DeletionPolicyDelete)
}

// release removes from an adopted Secret what the operator has added, and its marks. It patches by key, because a tool that has restored the
// Secret from a backup owns every field of it in the eyes of server-side apply.
func (o objects) release(ctx context.Context, secret *corev1.Secret) error {
	var record adoption
	if json.Unmarshal([]byte(secret.Annotations[annotationAdoption]), &record) != nil {
		record = adoption{} // adopted by a version that did not record it: nobody knows what was there before
	}
	null := func(keys []string) map[string]any {
		removed := map[string]any{}
		for _, key := range keys {
			removed[key] = nil
		}
		return removed
	}
	labels, annotations := null(append(record.Labels, resources.LabelManagedBy)), null(record.Annotations)
	for key := range secret.Annotations {
		if strings.HasPrefix(key, annotationPrefix) && key != v1alpha1.AnnotationAllowClient {
			annotations[key] = nil
		}
	}
	metadata := map[string]any{"resourceVersion": secret.ResourceVersion, "labels": labels, "annotations": annotations}
	if others := slices.DeleteFunc(slices.Clone(secret.OwnerReferences), isClientReference); len(others) < len(secret.OwnerReferences) {
		metadata["ownerReferences"] = others // from a version that would have had it deleted with the OIDCClient
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata, "data": null(record.Data)})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	target := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name}}
	err = o.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(objectManager))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("release secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	return nil
}

func isClientReference(r metav1.OwnerReference) bool {
	return r.APIVersion == v1alpha1.SchemeGroupVersion.String() && r.Kind == kindClient
}

// annotationPrefix begins every annotation of the operator.
const annotationPrefix = "oidc-operator.dev/"
