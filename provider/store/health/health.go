package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// How storage is watched. With these a fault is reported within about 12 seconds, also when the database does not answer at all and
// nobody uses it, and within 2 when somebody does and it refuses.
const (
	// checkInterval is the time between two checks while storage works, faultInterval while it does not.
	checkInterval, faultInterval = 5 * time.Second, 2 * time.Second
	// confirmAfter is the time to the second check, which has to agree with the first: one failed check is no outage, and one that
	// succeeds in the midst of an outage is not its end.
	confirmAfter = time.Second
	// checkTimeout bounds one check.
	checkTimeout = 3 * time.Second
	// Opening is tried again after a time that doubles from the first to the last of these.
	firstRetry, lastRetry = 250 * time.Millisecond, 5 * time.Second
	// openPatience is how long opening may take before that is a fault.
	openPatience = 10 * time.Second
	// logInterval is the time after which a fault that lasts is logged again.
	logInterval = 10 * time.Minute
)

// Options of a Monitor. All are required.
type Options struct {
	// Open opens the storage. An error that wraps store.ErrNewerSchema ends Run, every other is tried again.
	Open func(ctx context.Context) (store.Store, error)
	// Opened is called once, with the storage that was opened.
	Opened func(store.Store)
	// Describe says in a whole sentence, without credentials, what an error of Open or of store.Store.Ping means.
	Describe func(error) store.Fault
	Logger   *slog.Logger
	Metrics  prometheus.Registerer
}

// Monitor watches storage.
type Monitor struct {
	opts Options
	// fault is nil while storage works, or is not known yet.
	fault   atomic.Pointer[store.Fault]
	changed chan struct{}
	suspect chan struct{}
	known   chan struct{}
	opened  chan struct{}
	settle  func()

	mu       sync.Mutex // of set
	since    time.Time  // of the fault
	loggedAt time.Time
}

// New returns a monitor that waits for Run.
func New(o Options) (*Monitor, error) {
	m := &Monitor{
		opts: o, changed: make(chan struct{}, 1), suspect: make(chan struct{}, 1), known: make(chan struct{}), opened: make(chan struct{}),
	}
	m.settle = sync.OnceFunc(func() { close(m.known) })
	up := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "oidc_provider_storage_up", Help: "Whether the storage can be read and written: 1 or 0.",
	}, func() float64 {
		if m.Fault() != nil || !closed(m.opened) {
			return 0
		}
		return 1
	})
	if err := o.Metrics.Register(up); err != nil {
		return nil, fmt.Errorf("register storage metrics: %w", err)
	}
	return m, nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Fault says why storage does not work; nil means that it works, or that nobody knows yet, see Known.
func (m *Monitor) Fault() *store.Fault { return m.fault.Load() }

// Changed holds a token when Fault has changed since somebody took one.
func (m *Monitor) Changed() <-chan struct{} { return m.changed }

// Known is closed when storage was opened, or there is a Fault.
func (m *Monitor) Known() <-chan struct{} { return m.known }

// Opened is closed when storage was opened.
func (m *Monitor) Opened() <-chan struct{} { return m.opened }

// Suspect has storage checked at once, because a call has failed. The check decides: a call may also fail for what is in it.
func (m *Monitor) Suspect() {
	select {
	case m.suspect <- struct{}{}:
	default: // there is a token already
	}
}

// Run opens storage and watches it until ctx ends. It returns an error only for what waiting does not help against.
func (m *Monitor) Run(ctx context.Context) error {
	opened, err := m.open(ctx)
	if opened == nil {
		return err
	}
	m.opts.Opened(opened)
	close(m.opened)
	m.set(ctx, nil, nil)
	m.settle()
	m.watch(ctx, opened)
	return nil
}

// open tries until storage is open or ctx ends; then it returns nil.
func (m *Monitor) open(ctx context.Context) (store.Store, error) {
	slow := time.AfterFunc(openPatience, func() {
		m.set(ctx, &store.Fault{Kind: store.FaultOpening, Message: fmt.Sprintf("the storage was not opened within %s; a migration of much data may take longer", openPatience)}, nil)
		m.settle()
	})
	defer slow.Stop()
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		opened, err := m.opts.Open(ctx)
		switch {
		case err == nil:
			return opened, nil
		case errors.Is(err, store.ErrNewerSchema):
			return nil, err
		case ctx.Err() != nil:
			return nil, nil
		}
		slow.Stop()
		m.failed(ctx, err)
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// watch checks until ctx ends.
func (m *Monitor) watch(ctx context.Context, opened store.Store) {
	works, differs := true, false // differs tells that the last check disagreed with works
	for {
		pause, suspect := checkInterval, m.suspect
		switch {
		case differs:
			pause, suspect = confirmAfter, nil
		case !works:
			pause, suspect = faultInterval, nil
		}
		select {
		case <-suspect:
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		err := check(ctx, opened)
		switch {
		case ctx.Err() != nil:
			return
		case (err == nil) == works:
			differs = false
		case differs: // for the second time
			works, differs = !works, false
		default:
			differs = true
			continue
		}
		switch {
		case works:
			m.set(ctx, nil, nil)
		case err != nil:
			m.failed(ctx, err)
		}
	}
}

func check(ctx context.Context, opened store.Store) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return opened.Ping(ctx)
}

func (m *Monitor) failed(ctx context.Context, err error) {
	fault := m.opts.Describe(err)
	m.set(ctx, &fault, err)
	m.settle()
}

// set makes a fault the present one, or none, and tells of it once and then rarely.
func (m *Monitor) set(ctx context.Context, fault *store.Fault, cause error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.fault.Swap(fault)
	now := time.Now()
	changed := !same(before, fault)
	switch {
	case fault == nil && changed:
		m.opts.Logger.InfoContext(ctx, "storage works again", "after", now.Sub(m.since).Round(time.Second).String())
	case fault != nil && (changed || now.Sub(m.loggedAt) >= logInterval):
		if before == nil {
			m.since = now
		}
		m.loggedAt = now
		attributes := []any{"fault", fault.Message}
		if cause != nil {
			attributes = append(attributes, "error", cause)
		}
		m.opts.Logger.ErrorContext(ctx, "storage does not work; it is tried again until it does", attributes...)
	}
	if changed {
		select {
		case m.changed <- struct{}{}:
		default: // there is a token already
		}
	}
}

// same reports whether two faults read the same to an administrator.
func same(a, b *store.Fault) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Message == b.Message
}
