package controllers

import (
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// registered returns the registration as it stands.
func (r *rig) registered() (*registration.Client, *corev1.Secret) {
	r.t.Helper()
	list := &corev1.SecretList{}
	r.must(r.mirror.List(r.t.Context(), list, client.InNamespace(r.namespace), client.MatchingLabels{registration.LabelKind: string(registration.KindClient)}))
	if len(list.Items) != 1 {
		return nil, nil
	}
	document, err := registration.Parse[registration.Client](list.Items[0].Data[registration.KindClient.File()])
	r.must(err)
	return document, &list.Items[0]
}

// lease returns the replica's report.
func (r *rig) lease() *coordinationv1.Lease {
	r.t.Helper()
	lease := &coordinationv1.Lease{}
	r.must(r.mirror.Get(r.t.Context(), client.ObjectKey{Namespace: r.namespace, Name: "sso-one"}, lease))
	return lease
}

// appSecret returns the application's Secret, or nil.
func (r *rig) appSecret() *corev1.Secret {
	r.t.Helper()
	secret := &corev1.Secret{}
	err := r.mirror.Get(r.t.Context(), client.ObjectKey{Namespace: r.apps, Name: "app-oidc"}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	r.must(err)
	return secret
}

// look notes what the application's Secrets hold, and makes sure that a replica accepts every client secret that stood there within the
// overlap.
func (r *rig) look() {
	r.t.Helper()
	r.noteHeld()
	c := r.client()
	if r.applied == nil || r.withdrawn || c == nil {
		return // it was never registered, or is not to be any more
	}
	for _, h := range r.held {
		if r.pardoned[h.value] || !h.until.IsZero() && !r.now.Before(h.until.Add(c.Overlap())) {
			continue
		}
		if !slices.ContainsFunc(r.applied, func(document *registration.Client) bool { return r.accepts(document, h.value) }) {
			r.t.Fatalf("write %d: the replica refuses a client secret that the application may hold (replaced %v, now %v)", r.writes, h.until, r.now)
		}
	}
}

func (r *rig) noteHeld() {
	r.t.Helper()
	list := &corev1.SecretList{}
	r.must(r.mirror.List(r.t.Context(), list, client.InNamespace(r.apps)))
	stands := map[string]string{}
	for i := range list.Items {
		if value := string(list.Items[i].Data["client_secret"]); value != "" && resources.Managed(&list.Items[i]) {
			stands[list.Items[i].Name] = value
		}
	}
	for i := range r.held {
		h := &r.held[i]
		switch {
		case !h.until.IsZero():
		case stands[h.name] == h.value:
			delete(stands, h.name)
		default:
			h.until = r.now
		}
	}
	for name, value := range stands {
		r.held = append(r.held, heldSecret{name: name, value: value})
	}
}

// accepts does what the provider does, and remembers what has cost much.
func (r *rig) accepts(document *registration.Client, value string) bool {
	return slices.ContainsFunc(unexpired(document.Secrets, r.now), func(s registration.ClientSecret) bool {
		pair := [2]string{s.Hash, value}
		if _, is := r.checked[pair]; !is {
			r.checked[pair] = registration.CheckSecret(s.Hash, value)
		}
		return r.checked[pair]
	})
}

// client returns the OIDCClient, or nil.
func (r *rig) client() *v1alpha1.OIDCClient {
	r.t.Helper()
	c := &v1alpha1.OIDCClient{}
	err := r.mirror.Get(r.t.Context(), r.key, c)
	if apierrors.IsNotFound(err) {
		return nil
	}
	r.must(err)
	return c
}
