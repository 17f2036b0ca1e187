package controllers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// What needs an API server of its own beside TestClientSecretSurvivesFaults.
func TestClientSecretStories(t *testing.T) {
	direct := newAPIServer(t)
	t.Run("without the right to restart the rotation goes on, and status says what is missing", func(t *testing.T) {
		powerless := interceptor.NewClient(direct, interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			review, is := obj.(*authorizationv1.SelfSubjectAccessReview)
			if !is {
				return c.Create(ctx, obj, opts...)
			}
			if review.Spec.ResourceAttributes.Verb != "restart" || review.Spec.ResourceAttributes.Resource != "deployments" {
				t.Errorf("asks for %+v", review.Spec.ResourceAttributes)
			}
			return nil // which is not allowed
		}})
		r := newRig(t, powerless, func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.RolloutRestart = []v1alpha1.Workload{{Kind: "Deployment", Name: "app"}}
		})
		d := deployment(r.apps, "app")
		r.must(r.mirror.Create(t.Context(), d))
		r.settle()
		first := string(r.appSecret().Data["client_secret"])
		r.annotate("1")
		if again := r.settle(); again != restartRetry {
			t.Errorf("tries again after %v", again)
		}
		r.must(r.mirror.Get(t.Context(), client.ObjectKeyFromObject(d), d))
		c := r.client()
		message := ""
		for _, condition := range c.Status.Conditions {
			if condition.Type == v1alpha1.ConditionCredentialsReady && condition.Status == metav1.ConditionTrue {
				message = condition.Message
			}
		}
		if d.Generation != 1 || string(r.appSecret().Data["client_secret"]) == first || ready(c) != "True Ready" ||
			!strings.Contains(message, `Deployment "app" cannot be restarted, for which the operator needs the verbs "patch" and "restart"`) {
			t.Errorf("generation %d, %s, %q", d.Generation, ready(c), message)
		}
	})
	t.Run("a restart that the API server cannot do holds nothing else up", func(t *testing.T) {
		broken := interceptor.NewClient(direct, interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if _, is := obj.(*appsv1.Deployment); is {
				return apierrors.NewInternalError(errors.New("failed calling webhook"))
			}
			return c.Patch(ctx, obj, patch, opts...)
		}})
		r := newRig(t, broken, func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.RolloutRestart = []v1alpha1.Workload{{Kind: "Deployment", Name: "app"}}
		})
		r.settle()
		r.annotate("1")
		var err error
		for range 6 {
			_, err = r.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: r.key})
			r.catchUp()
		}
		document, _ := r.registered()
		message := meta.FindStatusCondition(r.client().Status.Conditions, v1alpha1.ConditionCredentialsReady).Message
		if len(document.Secrets) != 2 || document.Secrets[0].Pending || document.Secrets[1].NotAfter.IsZero() {
			t.Errorf("what was replaced has no end: %d secrets", len(document.Secrets))
		}
		if err == nil || !strings.Contains(message, `Deployment "app" cannot be restarted: `) {
			t.Errorf("%v, %q", err, message)
		}
	})
	t.Run("a workload is restarted once, though another is missing and others have it restarted, too", func(t *testing.T) {
		r := newRig(t, direct, func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.RolloutRestart = []v1alpha1.Workload{{Kind: "Deployment", Name: "app"}, {Kind: "StatefulSet", Name: "missing"}}
		})
		d := deployment(r.apps, "app")
		r.must(r.mirror.Create(t.Context(), d))
		r.settle()
		tries := func() { // it never settles, since it tries again
			for range 6 {
				_, err := r.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: r.key})
				r.must(err)
				r.catchUp()
			}
		}
		r.annotate("1")
		tries()
		r.must(r.mirror.Get(t.Context(), client.ObjectKeyFromObject(d), d))
		d.Spec.Template.Annotations[annotationRestartedFor] = "another/1234"
		r.must(r.mirror.Update(t.Context(), d))
		r.startOperator()
		tries()
		r.must(r.mirror.Get(t.Context(), client.ObjectKeyFromObject(d), d))
		if d.Generation != 3 {
			t.Errorf("generation %d", d.Generation)
		}
		r.annotate("2")
		tries()
		r.must(r.mirror.Get(t.Context(), client.ObjectKeyFromObject(d), d))
		if d.Generation != 4 {
			t.Errorf("after another rotation generation %d", d.Generation)
		}
	})
	t.Run("nothing of the same name is restarted in another namespace", func(t *testing.T) {
		r := newRig(t, direct, func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.RolloutRestart = []v1alpha1.Workload{{Kind: "Deployment", Name: "app"}}
		})
		d := deployment(r.namespace, "app")
		r.must(r.mirror.Create(t.Context(), d))
		r.settle()
		r.annotate("1")
		for range 6 { // it never settles, since it tries again
			_, err := r.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: r.key})
			r.must(err)
			r.catchUp()
		}
		r.must(r.mirror.Get(t.Context(), client.ObjectKeyFromObject(d), d))
		c := r.client()
		i := slices.IndexFunc(c.Status.Conditions, func(x metav1.Condition) bool { return x.Type == v1alpha1.ConditionCredentialsReady })
		if d.Generation != 1 || !strings.Contains(c.Status.Conditions[i].Message, `Deployment "app" does not exist`) {
			t.Errorf("generation %d, %q", d.Generation, c.Status.Conditions[i].Message)
		}
	})
	t.Run("each step is told once, and nobody is told that logins fail", func(t *testing.T) {
		r := newRig(t, direct)
		r.settle()
		r.seen = nil
		r.annotate("1")
		r.pass(25 * time.Hour)
		if got := strings.Join(r.seen, " "); got != "RotationStarted SecretRotated PreviousSecretRetired" {
			t.Errorf("events: %s", got)
		}
	})
	t.Run("also the secret before the one before is kept for as long as it is used", func(t *testing.T) {
		r := newRig(t, direct, func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.Rotation.Retire = v1alpha1.RetireWhenUnused })
		r.settle()
		first := string(r.appSecret().Data["client_secret"])
		id := r.client().Status.Credentials.CurrentSecretID
		for _, request := range []string{"1", "2"} {
			r.now = r.now.Add(time.Hour)
			r.catchUp()
			r.annotate(request)
			r.settle()
		}
		r.now = r.now.Add(20 * time.Hour)
		r.catchUp()
		r.use(id)
		r.settle()
		earlier := r.client().Status.Credentials.Earlier
		if len(earlier) != 1 || earlier[0].SecretID != id || earlier[0].LastUsedAt == nil {
			t.Errorf("status tells %+v", earlier)
		}
		r.use("") // the replica has restarted and remembers nothing
		r.startOperator()
		r.seen = nil
		r.pass(20 * time.Hour)
		if document, _ := r.registered(); !r.accepts(document, first) || len(document.Secrets) != 2 {
			t.Errorf("the use was forgotten with the replica: %d secrets", len(document.Secrets))
		}
		r.pass(5 * time.Hour)
		if document, _ := r.registered(); len(document.Secrets) != 1 {
			t.Error("it stays although nobody uses it")
		}
		if got := strings.Join(r.seen, " "); got != "PreviousSecretRetired PreviousSecretRetired" {
			t.Errorf("events: %s", got)
		}
	})
	t.Run("a use is told in status and keeps the old client secret", func(t *testing.T) {
		r := newRig(t, direct, func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.Rotation.Retire = v1alpha1.RetireWhenUnused })
		r.settle()
		first := string(r.appSecret().Data["client_secret"])
		r.annotate("1")
		r.settle()
		old := r.client().Status.Credentials.Previous.SecretID
		for range 3 {
			r.now = r.now.Add(20 * time.Hour)
			r.catchUp()
			r.use(old)
			r.settle()
		}
		document, _ := r.registered()
		used := r.client().Status.Credentials.Previous
		if !r.accepts(document, first) || used == nil || !used.LastUsedAt.Time.Equal(r.now.Truncate(time.Minute)) {
			t.Errorf("after 60 h of use: %+v", used)
		}
		r.use("") // the replica has restarted and remembers nothing
		r.startOperator()
		r.pass(23 * time.Hour)
		if document, _ = r.registered(); !r.accepts(document, first) {
			t.Error("the use was forgotten with the replica")
		}
		r.pass(2 * time.Hour)
		if document, _ = r.registered(); r.accepts(document, first) {
			t.Error("it stays although nobody uses it")
		}
	})
}

// use makes the replica report that a secret was used just now; "" makes it report nothing.
func (r *rig) use(id string) {
	r.t.Helper()
	lease := r.lease()
	delete(lease.Annotations, "oidc-operator.dev/secret-uses")
	if id != "" {
		lease.Annotations["oidc-operator.dev/secret-uses"] = `{"` + r.client().ClientID() + `":{"` + id + `":"` + r.now.UTC().Truncate(time.Minute).Format(time.RFC3339) + `"}}`
	}
	r.must(r.mirror.Update(r.t.Context(), lease))
}
