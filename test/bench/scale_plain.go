package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// plainWriter makes the objects that stand when the operator is done with an OIDCClient, as copies of real ones, on an API server
// with nobody else.
type plainWriter struct {
	*site
	resource     *v1alpha1.OIDCClient
	credentials  *corev1.Secret
	registration *corev1.Secret
	event        *eventsv1.Event
	// made counts the clients of which there are copies.
	made int
	// whole is the pace of making everything, bare that of OIDCClients without status and their two Secrets.
	whole, bare pace
}

// pace is a number of clients, the time that they took, and the processor time of everybody who took part.
type pace struct {
	clients   int
	took, cpu time.Duration
}

func (p pace) rate() float64 { return float64(p.clients) / p.took.Seconds() }

// against returns how fast p is beside another pace, by the clock and by processor time, which other programs disturb less.
func (p pace) against(other pace) (byClock, byProcessor float64) {
	return p.rate() / other.rate(), float64(other.cpu) / float64(other.clients) * float64(p.clients) / float64(p.cpu)
}

func totalOf(times map[string]time.Duration) time.Duration {
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return sum
}

// newPlainWriter lets the operator make one client, learns from it, and stops the operator and the provider.
func newPlainWriter(ctx context.Context, programs *programs) (_ *plainWriter, err error) {
	w := &plainWriter{site: &site{programs: programs}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.site.stop())
		}
	}()
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	w.resource = gen.OIDCClient(namespace, "app-00000", gen.OIDCProvider(namespace, "sso"))
	if err := w.client.Create(ctx, w.resource); err != nil {
		return nil, err
	}
	if err := w.awaitReady(ctx, w.resource); err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // events come later
	if err := w.learn(ctx); err != nil {
		return nil, err
	}
	w.operator.stop()
	w.provider.stop()
	w.operator, w.provider = nil, nil
	return w, nil
}

func (w *plainWriter) learn(ctx context.Context) error {
	secrets, events := &corev1.SecretList{}, &eventsv1.EventList{}
	if err := errors.Join(w.client.List(ctx, secrets), w.client.List(ctx, events)); err != nil {
		return err
	}
	for i := range secrets.Items {
		s := &secrets.Items[i]
		switch {
		case s.Name == w.resource.SecretName():
			w.credentials = s
		case s.Annotations["oidc-operator.dev/owner"] == "OIDCClient/"+namespace+"/"+w.resource.Name:
			w.registration = s
		}
	}
	for i := range events.Items {
		if e := &events.Items[i]; e.Regarding.UID == w.resource.UID && e.Reason == v1alpha1.ReasonReady {
			w.event = e
		}
	}
	if w.credentials == nil || w.registration == nil || w.event == nil {
		return errors.New("the operator did not make a credentials Secret, a registration and an event")
	}
	return nil
}

// rounds makes n clients with everything and n with the least.
func (w *plainWriter) rounds(ctx context.Context, n int) error {
	for _, round := range []struct {
		*pace
		create func(ctx context.Context, i int) error
	}{{&w.whole, w.createWhole}, {&w.bare, w.createBare}} {
		progress(fmt.Sprintf("plain writer: %d clients", n))
		first := w.made
		w.made += n
		if err := createTenants(ctx, w.client, w.made); err != nil {
			return err
		}
		start, cpu := time.Now(), totalOf(childTimes())
		if err := inParallel(n, func(i int) error { return round.create(ctx, first+i) }); err != nil {
			return err
		}
		round.clients += n
		round.took += time.Since(start)
		round.cpu += totalOf(childTimes()) - cpu
	}
	return nil
}

// createBare makes an OIDCClient and its two Secrets.
func (w *plainWriter) createBare(ctx context.Context, i int) error {
	_, err := w.create(ctx, i)
	return err
}

func (w *plainWriter) create(ctx context.Context, i int) (*v1alpha1.OIDCClient, error) {
	c := tenantClient(i)
	if err := w.client.Create(ctx, c); err != nil {
		return nil, err
	}
	credentials, registration := w.credentials.DeepCopy(), w.registration.DeepCopy()
	credentials.ObjectMeta = copiedMeta(credentials, c.Namespace, c.SecretName())
	credentials.OwnerReferences = w.credentials.OwnerReferences
	registration.ObjectMeta = copiedMeta(registration, namespace, fmt.Sprintf("%s-%d", registration.Name, i))
	for _, secret := range []*corev1.Secret{credentials, registration} {
		if err := w.client.Create(ctx, secret); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// createWhole makes the status and the event, too.
func (w *plainWriter) createWhole(ctx context.Context, i int) error {
	c, err := w.create(ctx, i)
	if err != nil {
		return err
	}
	w.resource.Status.DeepCopyInto(&c.Status)
	if err := w.client.Status().Update(ctx, c); err != nil {
		return err
	}
	event := w.event.DeepCopy()
	event.ObjectMeta = copiedMeta(event, c.Namespace, fmt.Sprintf("%s-%d", event.Name, i))
	event.Regarding.Namespace, event.Regarding.Name, event.Regarding.UID = c.Namespace, c.Name, c.UID
	return w.client.Create(ctx, event)
}

// copiedMeta is what a copy has of an object's metadata.
func copiedMeta(obj client.Object, namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: obj.GetLabels(), Annotations: obj.GetAnnotations()}
}
