package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// perNamespace is how many of the clients share a namespace.
const perNamespace = 100

// tenantLabels are those of the namespaces whose clients the provider takes.
func tenantLabels() map[string]string { return map[string]string{"tenant": "yes"} }

func tenantName(i int) string { return fmt.Sprintf("tenant-%03d", i/perNamespace) }

// tenantClient is one of many: every fourth asks for the algorithm that it gets anyway.
func tenantClient(i int) *v1alpha1.OIDCClient {
	return gen.OIDCClient(tenantName(i), fmt.Sprintf("app-%05d", i), gen.OIDCProvider(namespace, "sso"), func(c *v1alpha1.OIDCClient) {
		if i%4 == 0 {
			c.Spec.IDTokenSignedResponseAlg = "RS256"
		}
	})
}

func createTenants(ctx context.Context, c client.Client, size int) error {
	for i := 0; i < size; i += perNamespace {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenantName(i), Labels: tenantLabels()}}
		if err := client.IgnoreAlreadyExists(c.Create(ctx, ns)); err != nil {
			return err
		}
	}
	return nil
}

// fill applies size OIDCClients and returns how long it took until all of them were Ready.
func (s *site) fill(ctx context.Context, size int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Duration(size)*100*time.Millisecond)
	defer cancel()
	if err := createTenants(ctx, s.client, size); err != nil {
		return 0, err
	}
	changes, err := s.client.Watch(ctx, &v1alpha1.OIDCClientList{})
	if err != nil {
		return 0, err
	}
	defer changes.Stop()
	var applied, ready atomic.Int64
	defer progressWhile(ctx, func() string {
		return fmt.Sprintf("%d applied and %d Ready of %d", applied.Load(), ready.Load(), size)
	})()
	start := time.Now()
	progress(fmt.Sprintf("fill with %d clients", size))
	applying := make(chan error, 1)
	go func() {
		applying <- inParallel(size, func(i int) error {
			defer applied.Add(1)
			return s.client.Create(ctx, tenantClient(i))
		})
	}()
	done := map[client.ObjectKey]bool{}
	for len(done) < size {
		event, ok := <-changes.ResultChan()
		if !ok {
			return 0, fmt.Errorf("%d of %d clients were Ready when the watch ended", len(done), size)
		}
		if c, is := event.Object.(*v1alpha1.OIDCClient); is && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady) {
			done[client.ObjectKeyFromObject(c)] = true
			ready.Store(int64(len(done)))
		}
	}
	took := time.Since(start)
	return took, <-applying
}

// applyToReady returns how long it takes from the creation of an OIDCClient until it is Ready.
func (s *site) applyToReady(ctx context.Context, name string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	changes, err := s.client.Watch(ctx, &v1alpha1.OIDCClientList{}, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		return 0, err
	}
	defer changes.Stop()
	start := time.Now()
	if err := s.client.Create(ctx, gen.OIDCClient(namespace, name, gen.OIDCProvider(namespace, "sso"))); err != nil {
		return 0, err
	}
	for event := range changes.ResultChan() {
		if c, is := event.Object.(*v1alpha1.OIDCClient); is && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady) {
			return time.Since(start), nil
		}
	}
	return 0, errors.New("not Ready within 30 seconds")
}

// awaitRegistered waits until the provider's status counts that many clients, which it does when everything is done.
func (s *site) awaitRegistered(ctx context.Context, clients int) error {
	p := &v1alpha1.OIDCProvider{}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err := s.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "sso"}, p); err != nil {
			return err
		}
		if r := p.Status.Registered; r != nil && r.Clients != nil && int(*r.Clients) == clients {
			return nil
		}
	}
	return fmt.Errorf("the provider does not have %d clients after a minute", clients)
}

// inParallel calls do for 0 to n-1 with as many workers as there are, until one fails.
func inParallel(n int, do func(i int) error) error {
	var all sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, workers)
	for w := range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; int(i) < n && errs[w] == nil; i = next.Add(1) - 1 {
				errs[w] = do(int(i))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// progress tells on standard error what goes on.
func progress(what string) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), what)
}

// progressWhile tells it every few seconds until what it returns is called.
func progressWhile(ctx context.Context, what func() string) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		for tick := time.Tick(5 * time.Second); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick:
				progress(what())
			}
		}
	}()
	return stop
}

func loadAverage() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(load))[:3], " ")
}
