package kube

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// Options of a Source.
type Options struct {
	// Config says how to reach the API server, see LoadConfig.
	Config *rest.Config
	// Namespace and Provider are those of the OIDCProvider whose registrations are served.
	Namespace, Provider string
	// Replica is the name of this replica, unique among those of the provider: that of its Pod. It becomes part of the Lease's name.
	Replica string
	// PodName and PodUID make the Pod the owner of the Lease. Either may be empty; then nobody is.
	PodName, PodUID string
	Index           *registry.Index
	// Storage returns registration.AnnotationStorage for the next report. Nil means that there is nothing to report.
	Storage func() string
	Logger  *slog.Logger
}

// Source keeps an index up to date with the registration Secrets of one provider and reports what it has applied.
type Source struct {
	opts      Options
	listWatch *listWatch
	feed      *feed
	reporter  *reporter
}

// New returns a source. It does not reach for the API server yet.
func New(opts Options) (*Source, error) {
	lease := strings.ToLower(opts.Provider + "-" + opts.Replica)
	if faults := validation.IsDNS1123Subdomain(lease); len(faults) > 0 {
		return nil, fmt.Errorf("replica name %q makes no name for a Lease: %s", opts.Replica, strings.Join(faults, "; "))
	}
	if faults := validation.IsValidLabelValue(opts.Provider); len(faults) > 0 {
		return nil, fmt.Errorf("provider name %q is not one: %s", opts.Provider, strings.Join(faults, "; "))
	}
	c, err := newClients(opts.Config)
	if err != nil {
		return nil, err
	}
	s := &Source{opts: opts, listWatch: newListWatch(c.secrets, opts)}
	s.feed = newFeed(opts.Index, s.listWatch.recovered)
	s.reporter = &reporter{leases: leaseClient{c.leases, opts.Namespace}, opts: opts, name: lease, feed: s.feed, now: time.Now, started: time.Now()}
	return s, nil
}

// Synced tells whether every registration was applied once.
func (s *Source) Synced() bool {
	return s.feed.applied.Load() != nil
}

// Applied returns the resource version up to which every change of the registrations is applied, or "" before they are synced.
func (s *Source) Applied() string {
	if rv := s.feed.applied.Load(); rv != nil {
		return *rv
	}
	return ""
}

// Report makes a report soon, for what is not a matter of registrations.
func (s *Source) Report() { s.feed.wake() }

// OthersWork tells whether another replica of the provider has reported lately, and that its storage works.
func (s *Source) OthersWork(ctx context.Context) (bool, error) { return s.reporter.othersWork(ctx) }

// Run watches and reports until ctx is done; then it withdraws the report and returns nil. The first report is made when
// ready returns true, which it is asked often until then and never afterwards. An API server that cannot be
// reached is tried again, and does not disturb what is in force.
func (s *Source) Run(ctx context.Context, ready func() bool) error {
	// client-go logs whole objects and answers when something is odd with them. These are Secrets: it gets no logger at all.
	ctx = klog.NewContext(ctx, logr.Discard())
	reflector := cache.NewReflectorWithOptions(s.listWatch, &corev1.Secret{}, s.feed, cache.ReflectorOptions{
		Name:    "registrations",
		Backoff: &wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 8, Cap: 5 * time.Second},
	})
	var all sync.WaitGroup
	all.Go(func() { reflector.RunWithContext(ctx) })
	all.Go(func() { s.reporter.run(ctx, func() bool { return s.Synced() && ready() }) })
	all.Wait()
	return nil
}
