package controllers

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// takenCrashes are stories of client secrets that others have made, or that outlive their OIDCClient.
func takenCrashes() map[string]crash {
	kinds := []string{kindClient}
	brought := "0123456789abcdef0123456789abcdef"
	adopt := func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.Adopt = new(true) }
	theirs := func(r *rig) {
		r.adopts = "app-oidc"
		r.make(r.provider, gen.Secret(r.apps, "app-oidc", map[string]string{"client_secret": handmade, "kept": "theirs"}, gen.AllowingClient("app")))
	}
	existing := func(c *v1alpha1.OIDCClient) {
		c.Spec.Credentials.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: "mine"}
	}
	mine := func(r *rig) *corev1.Secret {
		return gen.Secret(r.apps, "mine", map[string]string{"client_secret": brought}, gen.AllowingClient("app"))
	}
	retained := func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyRetain }
	return map[string]crash{
		"Secret adopted": {kinds: kinds, secrets: 2, before: theirs, begin: func(r *rig) { r.makeClient(adopt) }, check: keepsSecret(handmade)},
		"Secret adopted later": {kinds: kinds, secrets: 2, check: keepsSecret(handmade), before: func(r *rig) { theirs(r); r.makeClient() }, begin: func(r *rig) {
			r.editClient(adopt)
		}},
		"client of an adopted Secret deleted": {kinds: kinds, secrets: 1, leaves: true, before: func(r *rig) { theirs(r); r.makeClient(adopt) }, begin: (*rig).endClient},
		"client of an adopted Secret deleted, with what was added": {kinds: kinds, leaves: true, before: func(r *rig) {
			theirs(r)
			r.makeClient(adopt, func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyDelete })
		}, begin: (*rig).endClient, check: func(r *rig) {
			if secret := r.appSecret(); secret == nil || len(secret.Data) != 2 || len(secret.Annotations) != 1 || len(secret.Labels) != 0 {
				r.t.Fatalf("the Secret is not what it was: %v", secret)
			}
		}},
		"client secret brought later": {kinds: kinds, secrets: 2, before: func(r *rig) { r.make(r.provider); r.makeClient(existing) }, begin: func(r *rig) {
			r.make(mine(r))
		}, check: keepsSecret(brought)},
		"client secret brought in place of another": {kinds: kinds, secrets: 2, check: keepsSecret(brought), before: func(r *rig) {
			r.make(r.provider, mine(r))
			r.makeClient()
		}, begin: func(r *rig) { r.editClient(existing) }, passes: 25 * time.Hour},
		"client secret that was brought gone": {kinds: kinds, secrets: 2, check: keepsSecret(brought), before: func(r *rig) {
			r.make(r.provider, mine(r))
			r.makeClient(existing)
		}, begin: func(r *rig) { r.must(r.mirror.Delete(r.t.Context(), mine(r))) }},
		"retained Secret taken up again": {kinds: kinds, secrets: 2, before: func(r *rig) {
			r.make(r.provider)
			r.makeClient(retained)
			r.settle()
			r.endClient()
			r.settle()
		}, begin: func(r *rig) { r.withdrawn = false; r.makeClient(retained) }, check: func(r *rig) { keepsSecret(r.held[0].value)(r) }},
	}
}

// keepsSecret makes sure that the application's Secret holds a client secret, with which it can prove itself, and that nothing else in it is lost.
func keepsSecret(value string) func(*rig) {
	return func(r *rig) {
		r.t.Helper()
		secret := r.appSecret()
		if got := string(secret.Data["client_secret"]); got != value {
			r.t.Fatal("the Secret holds another client secret")
		}
		if r.adopts != "" && string(secret.Data["kept"]) != "theirs" {
			r.t.Fatal("what else stood in the Secret is lost")
		}
		if document, _ := r.registered(); document == nil || !r.accepts(document, value) {
			r.t.Fatal("the provider refuses the client secret")
		}
	}
}

// importCrashes are stories of signing keys that somebody imports, revokes or keeps.
func importCrashes() map[string]crash {
	kinds := []string{kindSigningKey}
	pem := func(r *rig, content []byte) *corev1.Secret {
		return gen.Secret(r.namespace, "pem", map[string]string{"tls.key": string(content)})
	}
	key := func(r *rig, options ...func(*v1alpha1.SigningKey)) *v1alpha1.SigningKey {
		return gen.SigningKey(r.namespace, "key", "sso", options...)
	}
	imports := func(k *v1alpha1.SigningKey) {
		k.Spec.Import = &v1alpha1.KeyImport{SecretRef: v1alpha1.ImportSecretReference{Name: "pem", Key: "tls.key"}}
	}
	retained := func(k *v1alpha1.SigningKey) { k.Spec.DeletionPolicy = v1alpha1.DeletionPolicyRetain }
	imported := func(r *rig) { r.make(r.provider, pem(r, newPEM(r.t)), key(r, imports)) }
	replace := func(r *rig) {
		edited(r, pem(r, nil), func(s *corev1.Secret) { s.Data["tls.key"] = newPEM(r.t) })
	}
	revoke := func(r *rig, keyID func(*v1alpha1.SigningKey) string) {
		clear(r.signed) // nobody shall trust it any more
		r.revoked = true
		edited(r, key(r), func(k *v1alpha1.SigningKey) {
			k.Annotations = map[string]string{v1alpha1.AnnotationRevoke: keyID(k)}
		})
	}
	active := func(k *v1alpha1.SigningKey) string { return k.Status.ActiveKeyID }
	return map[string]crash{
		"key imported": {kinds: kinds, secrets: 1, check: signsImported, before: func(r *rig) { r.make(r.provider, pem(r, newPEM(r.t))) }, begin: func(r *rig) {
			r.make(key(r, imports))
		}},
		"imported key replaced":             {kinds: kinds, secrets: 1, check: signsImported, passes: 73 * time.Hour, before: imported, begin: replace},
		"Secret of an imported key gone":    {kinds: kinds, secrets: 1, before: imported, begin: func(r *rig) { r.must(r.mirror.Delete(r.t.Context(), pem(r, nil))) }, check: signsOne},
		"imported key revoked, and another": {kinds: kinds, secrets: 1, check: signsImported, before: imported, begin: func(r *rig) { revoke(r, active); r.settle(); replace(r) }},
		"published key revoked": {kinds: kinds, secrets: 1, check: signsOne, passes: 73 * time.Hour, before: func(r *rig) {
			r.make(r.provider, key(r))
			r.settle()
			edited(r, key(r), func(k *v1alpha1.SigningKey) { k.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"} })
		}, begin: func(r *rig) {
			revoke(r, func(k *v1alpha1.SigningKey) string { return k.Status.Keys[1].KeyID })
		}},
		"retained key taken up again": {kinds: kinds, secrets: 1, before: func(r *rig) {
			r.make(r.provider, key(r, retained))
			r.settle()
			r.must(r.mirror.Delete(r.t.Context(), key(r)))
			r.pass(49 * time.Hour)
		}, begin: func(r *rig) { r.make(key(r, retained)) }, check: func(r *rig) {
			signsOne(r)
			if len(r.signed) != 1 {
				r.t.Fatal("another key signs than the one that was kept")
			}
		}},
		"key to be retained": {kinds: kinds, secrets: 1, check: signsOne, before: func(r *rig) { r.make(r.provider, key(r)) }, begin: func(r *rig) { edited(r, key(r), retained) }},
	}
}

// signsOne makes sure that one key signs.
func signsOne(r *rig) {
	r.t.Helper()
	if len(r.signing()) != 1 {
		r.t.Fatalf("%d keys sign", len(r.signing()))
	}
}

// signing returns the IDs of the keys that the replica signs with.
func (r *rig) signing() []string {
	r.t.Helper()
	var found []string
	for _, secret := range r.registrationsOf(registration.KindSigningKey) {
		document, err := registration.Parse[registration.SigningKey](secret.Data[registration.KindSigningKey.File()])
		r.must(err)
		for _, k := range document.Keys {
			if k.Phase == registration.PhaseActive {
				found = append(found, k.KeyID)
			}
		}
	}
	return found
}

// signsImported makes sure that the key signs that stands in the Secret of spec.import, and no other.
func signsImported(r *rig) {
	r.t.Helper()
	secret := gen.Secret(r.namespace, "pem", nil)
	edited(r, secret, func(*corev1.Secret) {})
	want, _, err := keys.Import(secret.Data["tls.key"], "ES256")
	r.must(err)
	if got := r.signing(); !slices.Equal(got, []string{want}) {
		r.t.Fatalf("keys %v sign; want %s", got, want)
	}
}
