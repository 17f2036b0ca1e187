package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// liveProvider is the life of a provider that brings no key, and of the one that it is given.
func liveProvider(l *wholeLife) {
	p := l.provider
	key := gen.SigningKey(l.namespace, "sso-default", "sso")
	provider := func(said string) map[string]string { return map[string]string{"OIDCProvider/sso": said} }
	both := func(provider, key string) map[string]string {
		return map[string]string{"OIDCProvider/sso": provider, "SigningKey/sso-default": key}
	}

	l.step("created", func() { l.create(p) }, both(becomesReady, becomesReady))
	l.step("its key deleted", func() { clear(l.signed); l.remove(key) }, both(becomesReady, becomesReady))
	var held []byte
	l.step("its key spoilt", func() { held = l.spoilKey("sso-default") }, both(currentSaid+" "+waitingSaid, brokenSaid))
	l.step("its key restored", func() { l.restoreKey("sso-default", held) }, both(becomesReady, currentSaid))

	l.step("stopped", func() {
		change(l, p, func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(0)) })
	}, provider(waitingSaid+" "+stoppedSaid))
	l.step("changed while it is stopped", func() {
		change(l, p, func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.Title = "SSO" })
	}, provider(waitingSaid+" "+stoppedSaid))
	l.step("started again", func() {
		change(l, p, func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(1)) })
	}, provider(becomesReady))

	dsn := gen.Secret(l.namespace, "pg", map[string]string{"uri": "postgres://db"})
	l.step("moved to a database that nobody knows", func() {
		change(l, p, func(p *v1alpha1.OIDCProvider) {
			gen.WithPostgres("pg")(p)
			p.Spec.Replicas = new(int32(2))
		})
	}, provider(waitingSaid))
	l.step("told which database", func() { l.create(dsn) }, provider(currentSaid))
	l.step("the database forgotten", func() { l.remove(dsn) }, provider(waitingSaid))
	l.step("told again", func() { l.create(gen.Secret(l.namespace, "pg", map[string]string{"uri": "postgres://db"})) }, provider(currentSaid))

	l.step("deleted, while somebody holds it back", func() { l.kept(p); l.remove(p) }, nil)
	l.released(p)
	l.ended()
	if l.stands(kindSigningKey) || l.stands("Deployment") {
		l.t.Error("something is left of a provider that is gone")
	}
}

// liveKeys is the life of a key that the operator makes.
func liveKeys(l *wholeLife) {
	k := gen.SigningKey(l.namespace, "key", "sso")
	of := func(key, provider string) map[string]string {
		return map[string]string{"SigningKey/key": key, "OIDCProvider/sso": provider}
	}
	active := func() string {
		l.must(l.mirror.Get(l.t.Context(), client.ObjectKeyFromObject(k), k))
		return k.Status.ActiveKeyID
	}
	l.step("created", func() { l.create(l.provider, k) }, of(becomesReady, becomesReady))
	first := active()
	l.step("its Secret deleted", func() {
		clear(l.signed) // nobody can verify any more what the key has signed that is lost with it
		l.remove(l.keySecret("key"))
	}, of(currentSaid, ""))
	second := active()
	if second == "" || second == first {
		l.t.Errorf("after its Secret was deleted key %q is active, before it was %q", second, first)
	}
	var held []byte
	l.step("its Secret spoilt", func() { held = l.spoilKey("key") }, of(brokenSaid, currentSaid+" "+waitingSaid))
	if active() != "" {
		l.t.Error("a key is said to be active that nobody has")
	}
	l.step("its Secret restored", func() { l.restoreKey("key", held) }, of(currentSaid, becomesReady))
	if active() != second {
		l.t.Errorf("key %q is active; want the one that was restored, %q", active(), second)
	}
	l.step("its Secret spoilt once more", func() { l.spoilKey("key") }, of(brokenSaid, currentSaid+" "+waitingSaid))
	l.step("and deleted", func() { clear(l.signed); l.remove(l.keySecret("key")) }, of(currentSaid, currentSaid))

	foreign := gen.Secret(l.namespace, l.keySecret("key").Name, map[string]string{"mine": "x"})
	l.step("somebody else's Secret in its place", func() {
		clear(l.signed)
		l.remove(l.keySecret("key"))
		l.create(foreign)
	}, of(brokenSaid, waitingSaid))
	l.step("which goes", func() { l.remove(foreign) }, of(currentSaid, currentSaid))

	before := active()
	l.step("rotated", func() {
		change(l, k, func(k *v1alpha1.SigningKey) { k.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"} })
		l.pass(73 * time.Hour)
	}, of(currentSaid, ""))
	if active() == before {
		l.t.Error("it is not rotated")
	}
	before = active()
	l.step("revoked", func() {
		l.revoked = true
		change(l, k, func(k *v1alpha1.SigningKey) { k.Annotations[v1alpha1.AnnotationRevoke] = before })
	}, of(currentSaid, ""))
	if active() == before || active() == "" {
		l.t.Errorf("key %q, which is revoked, gave way to %q", before, active())
	}
	before = active()
	l.step("its provider deleted", func() { l.remove(l.provider) }, map[string]string{"SigningKey/key": waitingSaid})
	l.provider = gen.OIDCProvider(l.namespace, "sso")
	l.step("its provider made again", func() { l.create(l.provider) }, of(currentSaid, becomesReady))
	if active() != before {
		l.t.Error("with another provider it has another key")
	}
	l.step("deleted, while somebody holds it back", func() { l.kept(k); l.remove(k) }, nil)
	l.released(k)
	l.remove(l.provider)
	l.ended()
}

// keySecret returns the Secret of a SigningKey as it stands.
func (r *rig) keySecret(name string) *corev1.Secret {
	r.t.Helper()
	k, secret := gen.SigningKey(r.namespace, name, "sso"), &corev1.Secret{}
	r.must(r.mirror.Get(r.t.Context(), client.ObjectKey{Namespace: r.namespace, Name: signingKeySecretName(k)}, secret))
	return secret
}

// spoilKey makes what the Secret of a SigningKey holds unreadable, and returns what it was.
func (l *wholeLife) spoilKey(name string) (held []byte) {
	l.t.Helper()
	change(l, l.keySecret(name), func(s *corev1.Secret) {
		held = s.Data[registration.KindSigningKey.File()]
		s.Data[registration.KindSigningKey.File()] = held[:len(held)/2]
	})
	return held
}

func (l *wholeLife) restoreKey(name string, held []byte) {
	l.t.Helper()
	change(l, l.keySecret(name), func(s *corev1.Secret) { s.Data[registration.KindSigningKey.File()] = held })
}

// liveClients is the life of a client, broken in each way in which somebody has to act.
func liveClients(l *wholeLife) {
	p := l.provider
	c := gen.OIDCClient(l.apps, "app", p)
	of := func(said string) map[string]string { return map[string]string{"OIDCClient/app": said} }
	edit := func(edit func(*v1alpha1.OIDCClient)) func() { return func() { change(l, c, edit) } }

	foreign := gen.Secret(l.apps, "app-oidc", map[string]string{"client_secret": handmade}, gen.AllowingClient("app"))
	l.step("created where somebody else's Secret stands", func() {
		l.create(p, gen.SigningKey(l.namespace, "key", "sso"), foreign, c)
	}, of(waitingSaid+" "+brokenSaid))
	l.adopts = "app-oidc"
	l.step("told to adopt it", edit(func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.Adopt = new(true) }), of(becomesReady))

	l.step("a template that is none", edit(func(c *v1alpha1.OIDCClient) {
		c.Spec.Credentials.Data = map[string]v1alpha1.CredentialsTemplate{"URL": "{{ .issuer"}
	}), of(waitingSaid+" "+brokenSaid))
	l.step("mended", edit(func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.Data["URL"] = "{{ .issuer }}" }), of(becomesReady))

	l.step("an algorithm of which there is no key", edit(func(c *v1alpha1.OIDCClient) {
		c.Spec.IDTokenSignedResponseAlg = "ES384"
	}), of(waitingSaid))
	l.step("then there is one", func() {
		l.create(gen.SigningKey(l.namespace, "other", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "ES384" }))
	}, of(currentSaid))
	var held []byte
	l.step("which is spoilt", func() { held = l.spoilKey("other") }, of(waitingSaid))
	l.step("and restored", func() { l.restoreKey("other", held) }, of(currentSaid))

	l.step("a client secret that is missing", edit(func(c *v1alpha1.OIDCClient) {
		c.Spec.Credentials.Adopt = nil
		c.Spec.Credentials.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: "mine"}
	}), of(waitingSaid))
	mine := gen.Secret(l.apps, "mine", map[string]string{"client_secret": "weak"}, gen.AllowingClient("app"))
	l.step("that is weak", func() { l.create(mine) }, of(brokenSaid))
	l.step("that is strong", func() {
		change(l, mine, func(s *corev1.Secret) { s.Data["client_secret"] = []byte("0123456789abcdef0123456789abcdef") })
	}, of(currentSaid))
	l.step("that is gone", func() { l.remove(mine) }, of(waitingSaid))
	l.step("that the operator makes", edit(func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.ExistingSecretRef = nil }), of(becomesReady))

	l.step("rotated", func() {
		change(l, c, func(c *v1alpha1.OIDCClient) { c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"} })
		l.pass(25 * time.Hour)
	}, of(currentSaid))
	l.step("its Secret deleted", func() { l.remove(l.appSecret()) }, of(becomesReady))

	rival := gen.OIDCClient(l.apps, "rival", p, gen.WithClientID(c.ClientID()))
	l.step("another of its client ID", func() { l.create(rival) },
		map[string]string{"OIDCClient/app": "", "OIDCClient/rival": waitingSaid + " " + brokenSaid})
	l.step("which gets it when the first is gone", func() { l.withdrawn = true; l.kept(c); l.remove(c); l.released(c) },
		map[string]string{"OIDCClient/rival": becomesReady})
	l.remove(rival)
	l.settle()
	for name, owner := range l.managedSecrets() {
		if l.appSecret() != nil || len(l.registrationsOf(registration.KindClient)) > 0 {
			l.t.Errorf("Secret %s of %s is left", name, owner)
		}
	}
}

// registrationsOf returns the registrations of a kind with the provider.
func (r *rig) registrationsOf(kind registration.Kind) []corev1.Secret {
	var found []corev1.Secret
	for _, secret := range r.registrations(r.provider) {
		if secret.Labels[registration.LabelKind] == string(kind) {
			found = append(found, secret)
		}
	}
	return found
}

// liveUsers is the life of a user, broken in each way in which somebody has to act.
func liveUsers(l *wholeLife) {
	u := gen.OIDCUser(l.namespace, "ada", "sso")
	of := func(said string) map[string]string { return map[string]string{"OIDCUser/ada": said} }
	edit := func(edit func(*v1alpha1.OIDCUser)) func() { return func() { change(l, u, edit) } }

	foreign := gen.Secret(l.namespace, u.GeneratedPasswordSecretName(), map[string]string{"password": "theirs"})
	l.step("created where somebody else's Secret stands", func() { l.create(l.provider, foreign, u) }, of(waitingSaid+" "+brokenSaid))
	l.step("which goes", func() { l.remove(foreign) }, of(becomesReady))
	l.step("changed", edit(func(u *v1alpha1.OIDCUser) { u.Spec.Email = "ada@example.com" }), of(becomesReady))

	l.step("a password that is nowhere", edit(func(u *v1alpha1.OIDCUser) {
		u.Spec.PasswordSecretRef = &v1alpha1.SecretKeyReference{Name: "mine"}
	}), of(waitingSaid))
	mine := gen.Secret(l.namespace, "mine", map[string]string{"password": "$argon2id$nothing"})
	l.step("that is none", func() { l.create(mine) }, of(waitingSaid))
	l.step("that is one", func() {
		change(l, mine, func(s *corev1.Secret) { s.Data["password"] = []byte("correct horse battery") })
	}, of(becomesReady))

	older := gen.OIDCUser(l.namespace, "bob", "sso")
	l.step("another user", func() { l.create(older) }, map[string]string{"OIDCUser/bob": becomesReady, "OIDCUser/ada": ""})
	l.step("who wants the same username", func() {
		change(l, older, func(u *v1alpha1.OIDCUser) { u.Spec.Username = "ada" })
	}, map[string]string{"OIDCUser/bob": waitingSaid + " " + brokenSaid, "OIDCUser/ada": ""})
	l.step("and lets go of it", func() {
		change(l, older, func(u *v1alpha1.OIDCUser) { u.Spec.Username = "" })
	}, map[string]string{"OIDCUser/bob": becomesReady, "OIDCUser/ada": ""})
	l.step("deleted, while somebody holds them back", func() { l.kept(u, older); l.remove(u, older) }, nil)
	l.released(u, older)
	l.settle()
	if left := l.registrationsOf(registration.KindUser); len(left) > 0 {
		l.t.Errorf("%d registrations are left", len(left))
	}
}
