package kube

import (
	"context"
	"log/slog"
	"sync/atomic"

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
	*cache.ListWatch
	logger *slog.Logger
	faulty atomic.Bool
}

// newListWatch selects by label, so that the API server sends nothing else, and by type, which nobody can change: a Secret of
// another kind that is labelled like a registration never reaches this process.
func newListWatch(secrets *rest.RESTClient, opts Options) *listWatch {
	labels := registration.LabelProvider + "=" + opts.Provider + "," + registration.LabelKind
	secretType := fields.OneTermEqualSelector("type", registration.SecretType).String()
	return &listWatch{
		logger: opts.Logger,
		ListWatch: cache.NewFilteredListWatchFromClient(secrets, "secrets", opts.Namespace, func(o *metav1.ListOptions) {
			o.LabelSelector, o.FieldSelector = labels, secretType
		}),
	}
}

// ListWithContext implements cache.ListerWatcherWithContext.
func (l *listWatch) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	list, err := l.ListWatch.ListWithContext(ctx, o)
	l.note(ctx, err)
	return list, err
}

// WatchWithContext implements cache.ListerWatcherWithContext.
func (l *listWatch) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	w, err := l.ListWatch.WatchWithContext(ctx, o)
	if o.SendInitialEvents != nil && apierrors.IsInvalid(err) {
		return w, err // an API server that cannot stream lists; the reflector asks for a plain one next
	}
	l.note(ctx, err)
	return w, err
}

func (l *listWatch) note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil, apierrors.IsResourceExpired(err), apierrors.IsGone(err):
	case err != nil && !l.faulty.Swap(true):
		l.logger.Warn("registrations cannot be watched; what was read before stays in force", slog.Any("error", err))
	case err == nil && l.faulty.Swap(false):
		l.logger.Info("registrations are watched again")
	}
}

// demoted turns whatever client-go logs about retries into debug messages: listWatch says what matters.
type demoted struct{ slog.Handler }

// Enabled implements slog.Handler.
func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle implements slog.Handler.
func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return d.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (d demoted) WithGroup(name string) slog.Handler {
	return demoted{d.Handler.WithGroup(name)}
}
