package controllers

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
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
