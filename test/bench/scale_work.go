package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

const clientController = "oidcclient"

// quiet is how long nothing must happen in the operator for an event to be over.
const quiet = 2500 * time.Millisecond

// work is what the operator has done.
type work struct {
	reconciles    map[string]int // by controller
	writes, reads int            // requests to the API server
}

// workIn reads the operator's metrics.
func workIn(metrics map[string]float64) work {
	w := work{reconciles: map[string]int{}}
	for name, value := range metrics {
		switch {
		case strings.HasPrefix(name, "controller_runtime_reconcile_total{"):
			_, rest, _ := strings.Cut(name, `controller="`)
			controller, _, _ := strings.Cut(rest, `"`)
			w.reconciles[controller] += int(value)
		case strings.HasPrefix(name, "rest_client_requests_total{") && strings.Contains(name, `method="GET"`):
			w.reads += int(value)
		case strings.HasPrefix(name, "rest_client_requests_total{"):
			w.writes += int(value)
		}
	}
	return w
}

func (w work) equal(other work) bool {
	return w.writes == other.writes && w.reads == other.reads && maps.Equal(w.reconciles, other.reconciles)
}

func (w work) since(before work) work {
	spent := work{reconciles: map[string]int{}, writes: w.writes - before.writes, reads: w.reads - before.reads}
	for controller, n := range w.reconciles {
		if n != before.reconciles[controller] {
			spent.reconciles[controller] = n - before.reconciles[controller]
		}
	}
	return spent
}

func (w work) String() string {
	var reconciles []string
	for _, controller := range slices.Sorted(maps.Keys(w.reconciles)) {
		reconciles = append(reconciles, fmt.Sprintf("%s %d", controller, w.reconciles[controller]))
	}
	if len(reconciles) == 0 {
		reconciles = []string{"none"}
	}
	return fmt.Sprintf("reconciles: %s; requests: %d writes, %d reads", strings.Join(reconciles, ", "), w.writes, w.reads)
}

// settled returns what the operator has done when it does nothing any more.
func (s *site) settled(ctx context.Context) (work, error) {
	var last work
	since := time.Now()
	for deadline := since.Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		metrics, err := s.metrics(ctx)
		if err != nil {
			return work{}, err
		}
		now := workIn(metrics)
		if !now.equal(last) {
			last, since = now, time.Now()
		}
		if time.Since(since) > quiet {
			return now, nil
		}
	}
	return work{}, fmt.Errorf("the operator does not come to rest: %s", last)
}

// happening is something to which the operator has to see.
type happening struct {
	what string
	do   func(ctx context.Context) error
}

// benchWork counts what single events cost among size clients.
func (s *site) benchWork(ctx context.Context, size int) error {
	progress("work of single events")
	before, err := s.settled(ctx)
	if err != nil {
		return err
	}
	for _, h := range slices.Concat(s.clientHappenings(), s.otherHappenings(min(perNamespace, size))) {
		if err := h.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", h.what, err)
		}
		after, err := s.settled(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", h.what, err)
		}
		report("work: "+h.what, "%s", after.since(before))
		before = after
	}
	return nil
}

func (s *site) clientHappenings() []happening {
	return []happening{
		{"nothing, while a replica reports twice", func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(42 * time.Second):
			}
			return ctx.Err()
		}},
		{"a client's redirect URIs", change(s, tenantClient(1), func(c *v1alpha1.OIDCClient) {
			c.Spec.RedirectURIs = append(c.Spec.RedirectURIs, callback)
		})},
		{"rotation of a client's secret", change(s, tenantClient(1), func(c *v1alpha1.OIDCClient) {
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, v1alpha1.AnnotationRotate, "now")
		})},
		{"a client is deleted", func(ctx context.Context) error { return s.client.Delete(ctx, tenantClient(2)) }},
	}
}

// otherHappenings are those that may concern many clients. neighbours is how many share a namespace.
func (s *site) otherHappenings(neighbours int) []happening {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenantName(0)}}
	provider := gen.OIDCProvider(namespace, "sso")
	return []happening{
		{"rotation of a SigningKey", change(s, gen.SigningKey(namespace, "rs256", "sso"), func(k *v1alpha1.SigningKey) {
			metav1.SetMetaDataAnnotation(&k.ObjectMeta, v1alpha1.AnnotationRotate, "now")
		})},
		{"another SigningKey", func(ctx context.Context) error {
			return s.client.Create(ctx, gen.SigningKey(namespace, "es256", "sso"))
		}},
		{"a replica's report renewed", change(s, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso-one"}}, func(l *coordinationv1.Lease) {
			l.Spec.RenewTime = new(metav1.NowMicro())
		})},
		{"the provider's status", func(ctx context.Context) error {
			return s.client.Status().Patch(ctx, provider, client.RawPatch("application/merge-patch+json", []byte(`{"status":{"replicas":{"current":0}}}`)))
		}},
		{"branding in the provider's spec", change(s, provider, func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.Title = "Bench" })},
		{"redirect hosts in the provider's spec", change(s, provider, func(p *v1alpha1.OIDCProvider) {
			p.Spec.AllowedClients.RedirectHosts = []string{"*.example.com"}
		})},
		{fmt.Sprintf("a namespace's label, %d clients in it", neighbours), change(s, ns, func(n *corev1.Namespace) {
			metav1.SetMetaDataLabel(&n.ObjectMeta, "colour", "green")
		})},
		{fmt.Sprintf("%d clients shut out by a namespace's label", neighbours), change(s, ns, func(n *corev1.Namespace) { n.Labels["tenant"] = "no" })},
		{fmt.Sprintf("%d clients let in by a namespace's label", neighbours), change(s, ns, func(n *corev1.Namespace) { n.Labels["tenant"] = "yes" })},
	}
}

// change patches an object as an editor does.
func change[T client.Object](s *site, obj T, edit func(T)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return err
		}
		before, ok := obj.DeepCopyObject().(T)
		if !ok {
			return fmt.Errorf("copy of a %T is none", obj)
		}
		edit(obj)
		return s.client.Patch(ctx, obj, client.MergeFrom(before))
	}
}
