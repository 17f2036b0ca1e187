package kube

import (
	"context"
	"log/slog"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// listWatch asks for the registrations of one provider and tells once when asking begins to fail and once when it works again.
type listWatch struct {
	secrets   *rest.RESTClient
	namespace string
	// labels and fields select. By label, so that the API server sends nothing else; and by type, which nobody can change:
	// a Secret of another kind that is labelled like a registration never reaches this process.
	labels, fields string
	logger         *slog.Logger
	faulty         atomic.Bool
}

var _ cache.ListerWatcherWithContext = (*listWatch)(nil)

func newListWatch(secrets *rest.RESTClient, opts Options) *listWatch {
	return &listWatch{
		secrets:   secrets,
		namespace: opts.Namespace,
		labels:    registration.LabelProvider + "=" + opts.Provider + "," + registration.LabelKind,
		fields:    fields.OneTermEqualSelector("type", registration.SecretType).String(),
		logger:    opts.Logger,
	}
}

// request is for one attempt: the reflector repeats what fails, and knows better when.
func (l *listWatch) request(o metav1.ListOptions) *rest.Request {
	o.LabelSelector, o.FieldSelector = l.labels, l.fields
	return l.secrets.Get().Namespace(l.namespace).Resource("secrets").VersionedParams(&o, metav1.ParameterCodec).MaxRetries(0)
}

// ListWithContext implements cache.ListerWatcherWithContext.
func (l *listWatch) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	list := &corev1.SecretList{}
	err := l.request(o).Do(ctx).Into(list)
	l.note(ctx, err)
	return list, err
}

// WatchWithContext implements cache.ListerWatcherWithContext.
func (l *listWatch) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	o.Watch = true
	w, err := l.request(o).Watch(ctx)
	if err != nil && !apierrors.IsInvalid(err) { // invalid: an API server that cannot stream lists; the reflector asks for a plain one next
		l.note(ctx, err)
	}
	return w, err
}

// List implements cache.ListerWatcher, which a reflector is made with and never calls.
func (l *listWatch) List(o metav1.ListOptions) (runtime.Object, error) {
	return l.ListWithContext(context.Background(), o)
}

// Watch implements cache.ListerWatcher, see List.
func (l *listWatch) Watch(o metav1.ListOptions) (watch.Interface, error) {
	return l.WatchWithContext(context.Background(), o)
}

// recovered is called when something arrives.
func (l *listWatch) recovered() {
	if l.faulty.Load() && l.faulty.Swap(false) {
		l.logger.Info("registrations are watched again")
	}
}

func (l *listWatch) note(ctx context.Context, err error) {
	switch {
	case err == nil, ctx.Err() != nil, apierrors.IsResourceExpired(err), apierrors.IsGone(err):
	case !l.faulty.Swap(true):
		l.logger.Warn("registrations cannot be watched; what was read before stays in force", slog.Any("error", err))
	}
}
