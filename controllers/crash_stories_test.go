package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func (r *rig) make(objects ...client.Object) {
	r.t.Helper()
	for _, obj := range objects {
		r.must(r.mirror.Create(r.t.Context(), obj))
	}
}

// edited changes an object as it stands.
func edited[T client.Object](r *rig, obj T, edit func(T)) {
	r.t.Helper()
	r.must(r.mirror.Get(r.t.Context(), client.ObjectKeyFromObject(obj), obj))
	edit(obj)
	r.must(r.mirror.Update(r.t.Context(), obj))
}

func (r *rig) makeClient(options ...func(*v1alpha1.OIDCClient)) {
	r.t.Helper()
	r.make(gen.OIDCClient(r.apps, "app", r.provider, options...))
}

func (r *rig) editClient(edit func(*v1alpha1.OIDCClient)) {
	r.t.Helper()
	c := r.client()
	edit(c)
	r.must(r.mirror.Update(r.t.Context(), c))
}

// editPolicy changes the provider's policy in a way that withdraws the client, or lets it back.
func (r *rig) editPolicy(withdrawn bool, edit func(*v1alpha1.AllowedClients)) {
	r.t.Helper()
	r.withdrawn = withdrawn
	edited(r, r.provider, func(p *v1alpha1.OIDCProvider) { edit(&p.Spec.AllowedClients) })
}

func (r *rig) endClient() {
	r.t.Helper()
	r.withdrawn = true
	r.must(r.mirror.Delete(r.t.Context(), r.client()))
}

func crashes() map[string]crash {
	stories := map[string]crash{}
	for _, of := range []map[string]crash{clientCrashes(), policyCrashes(), userCrashes(), keyCrashes(), providerCrashes(), takenCrashes(), importCrashes()} {
		for name, s := range of {
			stories[name] = s
		}
	}
	return stories
}

func clientCrashes() map[string]crash {
	kinds := []string{kindClient}
	registered := func(r *rig) { r.make(r.provider); r.makeClient() }
	return map[string]crash{
		"client created":         {kinds: kinds, secrets: 2, before: func(r *rig) { r.make(r.provider) }, begin: func(r *rig) { r.makeClient() }},
		"client before provider": {kinds: kinds, secrets: 2, before: func(r *rig) { r.makeClient() }, begin: func(r *rig) { r.make(r.provider) }},
		"client deleted":         {kinds: kinds, before: registered, begin: (*rig).endClient},
		"client with a client ID of its choice deleted": {kinds: kinds, secrets: 1, leaves: true, begin: (*rig).endClient, before: func(r *rig) {
			r.make(r.provider)
			r.makeClient(gen.WithClientID("chosen"))
		}},
		"client with a client ID of its choice deleted and made again": {kinds: kinds, secrets: 2, before: func(r *rig) {
			r.make(r.provider)
			r.makeClient(gen.WithClientID("chosen"))
		}, begin: func(r *rig) {
			r.endClient()
			r.makeClient(gen.WithClientID("chosen"))
		}},
		"client deleted, its Secret retained": {kinds: kinds, secrets: 1, leaves: true, begin: (*rig).endClient, before: func(r *rig) {
			r.make(r.provider)
			r.makeClient(func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyRetain })
		}},
		"deletionPolicy changed": {kinds: kinds, secrets: 2, before: registered, begin: func(r *rig) {
			r.editClient(func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyRetain })
		}},
		"made again under another client ID": {kinds: kinds, secrets: 2, before: registered, begin: func(r *rig) {
			r.endClient()
			r.makeClient(gen.WithClientID("another"))
		}},
		"secretName changed": {kinds: kinds, secrets: 2, before: registered, begin: func(r *rig) {
			r.editClient(func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.SecretName = "renamed" })
		}},
		"moved to another provider": {kinds: kinds, secrets: 2, before: func(r *rig) {
			registered(r)
			r.make(gen.OIDCProvider(r.namespace, "other", gen.WithIssuer("https://other.example.com")))
		}, begin: func(r *rig) {
			r.editClient(func(c *v1alpha1.OIDCClient) { c.Spec.ProviderRef.Name = "other" })
		}},
	}
}

func policyCrashes() map[string]crash {
	kinds := []string{kindClient}
	registered := func(r *rig) { r.make(r.provider); r.makeClient() }
	closeNamespaces := func(a *v1alpha1.AllowedClients) { a.Namespaces.From = v1alpha1.NamespacesFromSame }
	openNamespaces := func(a *v1alpha1.AllowedClients) { a.Namespaces.From = v1alpha1.NamespacesFromAll }
	closeHosts := func(a *v1alpha1.AllowedClients) { a.RedirectHosts = []string{"other.example.com"} }
	openHosts := func(a *v1alpha1.AllowedClients) { a.RedirectHosts = nil }
	told := func(withdrawn bool, edit func(*v1alpha1.AllowedClients)) func(*rig) {
		return func(r *rig) { r.editPolicy(withdrawn, edit) }
	}
	after := func(edit func(*v1alpha1.AllowedClients)) func(*rig) {
		return func(r *rig) { registered(r); r.settle(); r.editPolicy(true, edit) }
	}
	return map[string]crash{
		"namespace no longer allowed":     {kinds: kinds, secrets: 1, before: registered, begin: told(true, closeNamespaces)},
		"namespace allowed again":         {kinds: kinds, secrets: 2, before: after(closeNamespaces), begin: told(true, openNamespaces)},
		"redirect host no longer allowed": {kinds: kinds, secrets: 1, before: registered, begin: told(true, closeHosts)},
		"redirect host allowed again":     {kinds: kinds, secrets: 2, before: after(closeHosts), begin: told(true, openHosts)},
	}
}

func userCrashes() map[string]crash {
	kinds := []string{kindUser}
	ada := func(r *rig, options ...func(*v1alpha1.OIDCUser)) *v1alpha1.OIDCUser {
		return gen.OIDCUser(r.namespace, "ada", "sso", options...)
	}
	known := func(r *rig) { r.make(r.provider, ada(r)) }
	return map[string]crash{
		"user created":  {kinds: kinds, secrets: 2, before: func(r *rig) { r.make(r.provider) }, begin: func(r *rig) { r.make(ada(r)) }},
		"user deleted":  {kinds: kinds, before: known, begin: func(r *rig) { r.must(r.mirror.Delete(r.t.Context(), ada(r))) }},
		"user disabled": {kinds: kinds, secrets: 2, before: known, begin: func(r *rig) { edited(r, ada(r), func(u *v1alpha1.OIDCUser) { u.Spec.Disabled = new(true) }) }},
		"user renamed": {kinds: kinds, secrets: 2, before: known, begin: func(r *rig) {
			edited(r, ada(r), func(u *v1alpha1.OIDCUser) { u.Spec.Username = "lovelace" })
		}},
		"password Secret changed": {kinds: kinds, secrets: 1, before: func(r *rig) {
			r.make(r.provider, gen.Secret(r.namespace, "mine", map[string]string{"password": "open sesame"}), ada(r, gen.WithPasswordFrom("mine", "password")))
		}, begin: func(r *rig) {
			edited(r, gen.Secret(r.namespace, "mine", nil), func(s *corev1.Secret) { s.Data["password"] = []byte("correct horse") })
		}},
	}
}

func keyCrashes() map[string]crash {
	kinds := []string{kindSigningKey}
	key := func(r *rig, options ...func(*v1alpha1.SigningKey)) *v1alpha1.SigningKey {
		return gen.SigningKey(r.namespace, "key", "sso", options...)
	}
	active := func(r *rig) { r.make(r.provider, key(r)) }
	remove := func(r *rig) { r.must(r.mirror.Delete(r.t.Context(), key(r))) }
	return map[string]crash{
		"key created": {kinds: kinds, secrets: 1, before: func(r *rig) { r.make(r.provider) }, begin: func(r *rig) { r.make(key(r)) }},
		"key rotated": {kinds: kinds, secrets: 1, before: active, passes: 73 * time.Hour, begin: func(r *rig) {
			edited(r, key(r), func(k *v1alpha1.SigningKey) { k.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"} })
		}},
		"key revoked": {kinds: kinds, secrets: 1, before: active, passes: 73 * time.Hour, begin: func(r *rig) {
			clear(r.signed) // nobody shall trust it any more
			r.revoked = true
			edited(r, key(r), func(k *v1alpha1.SigningKey) {
				k.Annotations = map[string]string{v1alpha1.AnnotationRevoke: k.Status.ActiveKeyID}
			})
		}},
		"key deleted": {kinds: kinds, before: active, passes: 49 * time.Hour, begin: remove},
		"key deleted, retained": {kinds: kinds, secrets: 1, leaves: true, passes: 49 * time.Hour, begin: remove, before: func(r *rig) {
			r.make(r.provider, key(r, func(k *v1alpha1.SigningKey) { k.Spec.DeletionPolicy = v1alpha1.DeletionPolicyRetain }))
		}},
	}
}

func providerCrashes() map[string]crash {
	kinds, all := []string{kindProvider}, []string{"Deployment", "Service", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "PodDisruptionBudget"}
	ingress := func(p *v1alpha1.OIDCProvider) { p.Spec.Expose.Ingress = &v1alpha1.ExposeIngress{ClassName: "nginx"} }
	created := func(r *rig) { r.make(r.provider) }
	return map[string]crash{
		"provider created": {kinds: kinds, secrets: 1, begin: func(r *rig) { ingress(r.provider); created(r) }, stands: append([]string{"Ingress", kindSigningKey}, all...)},
		"provider exposed": {kinds: kinds, secrets: 1, before: created, begin: func(r *rig) { edited(r, r.provider, ingress) }, stands: append([]string{"Ingress"}, all...)},
		"provider hidden again": {kinds: kinds, secrets: 1, stands: all, before: func(r *rig) { ingress(r.provider); created(r) }, begin: func(r *rig) {
			edited(r, r.provider, func(p *v1alpha1.OIDCProvider) { p.Spec.Expose.Ingress = nil; p.Spec.Branding.Title = "SSO" })
		}},
		"provider deleted": {kinds: kinds, before: created, begin: func(r *rig) { r.must(r.mirror.Delete(r.t.Context(), r.provider)) }},
	}
}
