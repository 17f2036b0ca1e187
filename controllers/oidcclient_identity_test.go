package controllers

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// Who an OIDCClient is, as far as its two Secrets tell.
func TestIdentity(t *testing.T) {
	c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
	c.UID = "now"
	registered := func(owner, ownerUID, uid, credentialsUID string) *corev1.Secret {
		data, err := json.Marshal(registration.Client{ClientID: "apps.app", UID: uid})
		if err != nil {
			t.Fatal(err)
		}
		return &corev1.Secret{
			Type: registration.SecretType, Data: map[string][]byte{"client.json": data},
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "sso", Labels: map[string]string{registration.LabelKind: "client"},
				Annotations: map[string]string{resources.AnnotationOwner: owner, annotationOwnerUID: ownerUID, annotationCredentialsUID: credentialsUID},
			},
		}
	}
	const mine = "OIDCClient/apps/app"
	credentials := func(namespace, uid string, annotations map[string]string) *corev1.Secret {
		all := map[string]string{resources.AnnotationOwner: mine}
		for k, v := range annotations {
			all[k] = v
		}
		return &corev1.Secret{Type: resources.SecretTypeCredentials, ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: "app-oidc", UID: types.UID(uid), Annotations: all, Labels: map[string]string{resources.LabelManagedBy: resources.ManagedBy},
		}}
	}
	of := func(uid string) map[string]string { return map[string]string{annotationRegistrationUID: uid} }
	damaged := registered(mine, "now", "first", "secret")
	damaged.Data["client.json"] = []byte("{")
	plain := registered(mine, "now", "first", "secret")
	plain.Type = corev1.SecretTypeOpaque
	for name, test := range map[string]struct {
		registration, credentials *corev1.Secret
		want                      clientIdentity
	}{
		"new":             {nil, nil, clientIdentity{"now", false}},
		"the same object": {registered(mine, "now", "first", "secret"), nil, clientIdentity{"first", true}},
		"the same object, registered before there were UIDs": {registered(mine, "now", "", ""), credentials("apps", "secret", nil), clientIdentity{"", true}},
		"made again":                                 {registered(mine, "then", "then", "secret"), nil, clientIdentity{"now", false}},
		"made again, its Secret still there":         {registered(mine, "then", "then", "secret"), credentials("apps", "secret", of("then")), clientIdentity{"now", false}},
		"made again, its Secret retained":            {nil, credentials("apps", "secret", of("then")), clientIdentity{"now", false}},
		"brought back":                               {registered(mine, "then", "first", "secret"), credentials("apps", "copy", of("first")), clientIdentity{"first", true}},
		"brought back, of before there were UIDs":    {registered(mine, "then", "", "secret"), credentials("apps", "copy", of("")), clientIdentity{"", true}},
		"brought back beside another's Secret":       {registered(mine, "then", "first", "secret"), credentials("apps", "copy", of("other")), clientIdentity{"now", false}},
		"made again, with a Secret of nothing":       {registered(mine, "then", "", "secret"), credentials("apps", "copy", nil), clientIdentity{"now", false}},
		"brought back, never noted":                  {registered(mine, "then", "first", ""), credentials("apps", "copy", of("first")), clientIdentity{"now", false}},
		"said by another namespace":                  {registered(mine, "then", "first", "secret"), credentials("evil", "copy", of("first")), clientIdentity{"now", false}},
		"registration of another OIDCClient":         {registered("OIDCClient/evil/app", "now", "first", "secret"), credentials("apps", "copy", of("first")), clientIdentity{"now", false}},
		"registration that cannot be read":           {damaged, credentials("apps", "copy", of("first")), clientIdentity{"now", false}},
		"a Secret that only looks as if it were one": {plain, nil, clientIdentity{"now", false}},
	} {
		t.Run(name, func(t *testing.T) {
			state := clientState{registration: test.registration, standing: registeredFor(c, test.registration), credentials: test.credentials}
			if got := identityOf(c, state); got != test.want {
				t.Errorf("got %+v", got)
			}
			if test.credentials != nil { // under its name from before a change
				test.credentials.Name = "earlier"
				state.credentials, state.owned = nil, []corev1.Secret{*test.credentials}
				if got := identityOf(c, state); got != test.want {
					t.Errorf("under another name: got %+v", got)
				}
			}
		})
	}
}

// deleteClient deletes the OIDCClient while the operator is down.
func (r *rig) deleteClient() {
	r.t.Helper()
	r.must(r.mirror.Delete(r.t.Context(), r.client()))
	r.held, r.applied = nil, nil
}

// createClient makes it again.
func (r *rig) createClient(options ...func(*v1alpha1.OIDCClient)) {
	r.t.Helper()
	r.must(r.mirror.Create(r.t.Context(), gen.OIDCClient(r.apps, "app", r.provider, options...)))
	r.startOperator()
	_, err := r.reconciler.Reconcile(r.t.Context(), ctrl.Request{NamespacedName: r.key})
	r.must(err)
}

// restore replaces an object by what a backup would bring back of it.
func (r *rig) restore(obj client.Object) {
	r.t.Helper()
	r.must(client.IgnoreNotFound(r.mirror.Delete(r.t.Context(), obj)))
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetManagedFields(nil)
	obj.SetOwnerReferences(nil)
	r.must(r.mirror.Create(r.t.Context(), obj))
}

// An OIDCClient that was deleted and made again is another client; one that was brought back with its Secrets is the same.
func TestIdentityStories(t *testing.T) {
	direct := newAPIServer(t)
	retain := func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyRetain }
	public := func(c *v1alpha1.OIDCClient) { c.Spec.TokenEndpointAuthMethod = "none" }
	none := func(*v1alpha1.OIDCClient) {}
	for name, test := range map[string]struct {
		option  func(*v1alpha1.OIDCClient)
		between func(r *rig, secret, registration *corev1.Secret)
		same    bool
	}{
		"made again while the operator is down":                             {none, func(r *rig, secret, _ *corev1.Secret) { r.must(r.mirror.Delete(t.Context(), secret)) }, false},
		"made again before its Secret is gone":                              {none, func(*rig, *corev1.Secret, *corev1.Secret) {}, false},
		"made again beside its retained Secret, while the operator is down": {retain, func(*rig, *corev1.Secret, *corev1.Secret) {}, false},
		"made again beside its retained Secret": {retain, func(r *rig, _, _ *corev1.Secret) {
			_, err := r.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: r.key})
			r.must(err)
			if document, _ := r.registered(); document != nil {
				t.Error("the registration is not withdrawn")
			}
		}, false},
		"public, made again":                     {public, func(*rig, *corev1.Secret, *corev1.Secret) {}, false},
		"public, brought back":                   {public, func(r *rig, secret, reg *corev1.Secret) { r.restore(secret); r.restore(reg) }, true},
		"brought back with its Secrets":          {none, func(r *rig, secret, reg *corev1.Secret) { r.restore(secret); r.restore(reg) }, true},
		"brought back with its retained Secret":  {retain, func(r *rig, secret, reg *corev1.Secret) { r.restore(secret); r.restore(reg) }, true},
		"brought back without its registration":  {none, func(r *rig, secret, reg *corev1.Secret) { r.restore(secret); r.must(r.mirror.Delete(t.Context(), reg)) }, false},
		"brought back without its client secret": {none, func(r *rig, secret, reg *corev1.Secret) { r.must(r.mirror.Delete(t.Context(), secret)); r.restore(reg) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, direct, test.option)
			r.settle()
			r.annotate("1")
			r.settle()
			before, reg := r.registered()
			secret, uid := r.appSecret(), string(r.client().UID)
			if before.UID != uid || secret.Annotations[annotationRegistrationUID] != uid || reg.Annotations[annotationCredentialsUID] != string(secret.UID) {
				t.Fatalf("registered is %q, noted %v and %v", before.UID, secret.Annotations, reg.Annotations)
			}
			version := reg.ResourceVersion
			r.deleteClient()
			test.between(r, secret, reg)
			rotated := func(c *v1alpha1.OIDCClient) { c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"} }
			r.createClient(test.option, rotated)
			if !test.same && r.client().Status.ClientID != "" { // until a replica says so nobody can log in as the new one
				if got := ready(r.client()); got == "True Ready" {
					t.Error("it is Ready before any replica knows of it")
				}
			}
			r.catchUp()
			r.settle()
			after, reg := r.registered()
			if same := after.UID == before.UID; same != test.same || !same && after.UID != string(r.client().UID) {
				t.Errorf("it was %q and is %q; the OIDCClient is %q", before.UID, after.UID, r.client().UID)
			}
			kept := len(after.Secrets) == len(before.Secrets)
			for i := range before.Secrets {
				kept = kept && after.Secrets[i].Hash == before.Secrets[i].Hash
			}
			if len(before.Secrets) > 0 && kept != test.same || !test.same && len(after.Secrets) > 1 {
				t.Errorf("before %+v, after %+v", before.Secrets, after.Secrets)
			}
			if test.same && version == reg.ResourceVersion || ready(r.client()) != "True Ready" {
				t.Errorf("ends with %s at version %s", ready(r.client()), reg.ResourceVersion)
			}
			if name == "public, made again" || name == "brought back with its Secrets" {
				checkIdentityLasts(t, r, after.UID)
			}
		})
	}
}

// checkIdentityLasts lets everything happen to the Secrets that may, but for a deletion of the OIDCClient.
func checkIdentityLasts(t *testing.T, r *rig, uid string) {
	t.Helper()
	for what, change := range map[string]func(){
		"a restart":          r.startOperator,
		"its Secret deleted": func() { r.must(r.mirror.Delete(t.Context(), r.appSecret())); r.pardonAll() },
		"its Secret's notes lost": func() {
			secret := r.appSecret()
			delete(secret.Annotations, annotationRegistrationUID)
			r.must(r.mirror.Update(t.Context(), secret))
		},
		"its Secret retained": func() {
			c := r.client()
			c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyRetain
			r.must(r.mirror.Update(t.Context(), c))
		},
	} {
		change()
		r.settle()
		r.startOperator()
		r.settle()
		document, reg := r.registered()
		secret := r.appSecret()
		if document.UID != uid || secret.Annotations[annotationRegistrationUID] != uid || reg.Annotations[annotationCredentialsUID] != string(secret.UID) {
			t.Errorf("after %s it is %q; want %q; noted are %v and %v", what, document.UID, uid, secret.Annotations, reg.Annotations)
		}
	}
}

// pardonAll is for client secrets that the application has lost.
func (r *rig) pardonAll() {
	for _, h := range r.held {
		r.pardoned[h.value] = true
	}
}
