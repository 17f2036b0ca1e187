package provider

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// How logout notices are sent. Those of one host wait for each other, those of different hosts do not.
const (
	// noticePoll is how often storage is asked for notices that other replicas have left, or that are due again.
	noticePoll = 10 * time.Second
	// noticeBatch is how many are taken at a time.
	noticeBatch = 64
	// noticeBacklog is how many may wait in memory, noticeQueue how many of them for one host.
	noticeBacklog = 1024
	noticeQueue   = 64
	// noticeSenders is how many are sent at a time, noticeHostSenders how many of them to one host.
	noticeSenders     = 64
	noticeHostSenders = 4
	// noticeTimeout is how long a client may take to answer.
	noticeTimeout = 8 * time.Second
	// noticeLease is for how long no other replica sends what this one has taken: a full queue of slow answers, and more.
	noticeLease = 3 * time.Minute
	// noticeCrowded is when a notice is due again whose host has a full queue.
	noticeCrowded = 2 * time.Second
)

// The shortest and the longest pause between two attempts. In between it is as long as the notice is old, which doubles it
// each time, needs nothing remembered, and makes at most some 35 attempts in a notice's life.
const (
	minNoticePause = 5 * time.Second
	maxNoticePause = time.Hour
)

// maxHostRest is the longest that notices for a host which did not answer are held back without trying.
const maxHostRest = time.Minute

// notices sends what clients must be told of logouts (OpenID Connect Back-Channel Logout section 2.5).
type notices struct {
	provider *Provider
	client   *http.Client
	wake     chan struct{}
	senders  chan struct{}
	running  sync.WaitGroup
	results  map[noticeResult]prometheus.Counter
	// stored is how many there were in storage when it was asked last.
	stored atomic.Int64

	mu sync.Mutex
	// receivers are by host; one is here only while it has something to do or to rest from.
	receivers map[string]*receiver
	backlog   int
}

// receiver is a host to which notices are sent.
type receiver struct {
	queue   []taken
	senders int
	// failures is how often in a row it did not answer, restUntil when it is tried again.
	failures  int
	restUntil time.Time
}

// taken is a notice that no other replica sends before until.
type taken struct {
	store.Notice
	until time.Time
}

func newNotices(p *Provider) *notices {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    noticeTimeout,
		MaxIdleConns:           noticeSenders,
		MaxIdleConnsPerHost:    noticeHostSenders,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true,
	}
	return &notices{
		provider: p,
		client: &http.Client{
			Transport: transport,
			Timeout:   noticeTimeout,
			// The token is for the registered URI and nobody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		wake:      make(chan struct{}, 1),
		senders:   make(chan struct{}, noticeSenders),
		receivers: map[string]*receiver{},
		results:   map[noticeResult]prometheus.Counter{},
	}
}

// RunLogoutNotices tells clients of logouts until ctx ends: those that happen here at once, those that other replicas have
// left behind soon after. It returns when what was being sent is sent, a few seconds later at most; what had to wait is
// left to the other replicas, or to the next start.
func (p *Provider) RunLogoutNotices(ctx context.Context) {
	n := p.notices
	defer n.client.CloseIdleConnections()
	defer n.running.Wait()
	for {
		more := n.takeDue(ctx)
		pause := noticePoll
		if more {
			pause = 0
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-n.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// wakeUp makes RunLogoutNotices look now.
func (n *notices) wakeUp() {
	select {
	case n.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// takeDue takes a batch of what is due and tells whether there may be more.
func (n *notices) takeDue(ctx context.Context) (more bool) {
	p := n.provider
	if !p.synced() || n.crowded() || ctx.Err() != nil {
		return false
	}
	now := p.now()
	until := now.Add(noticeLease)
	due, err := p.store.TakeNotices(ctx, now, until, noticeBatch)
	if err != nil {
		if ctx.Err() == nil {
			p.logger.Log(ctx, levelOf(err), "logout notices cannot be read", "error", err)
		}
		return false
	}
	for i := range due {
		n.dispatch(ctx, taken{due[i], until})
	}
	if count, err := p.store.CountNotices(ctx); err == nil {
		n.stored.Store(int64(count))
	}
	return len(due) == noticeBatch
}

func (n *notices) crowded() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.backlog > noticeBacklog-noticeBatch
}

// dispatch gives a notice to its host's queue, or back to storage when the host has a full one or does not answer. One whose time is up,
// because nobody could look in time, is given up.
func (n *notices) dispatch(ctx context.Context, t taken) {
	client, wanted := n.receiverOf(&t)
	if !wanted {
		n.drop(ctx, &t)
		return
	}
	now := n.provider.now()
	if !now.Before(t.ExpiresAt) {
		n.giveUp(ctx, &t, errNoticeExpired)
		return
	}
	host := hostOf(client.BackchannelLogoutURI)
	n.mu.Lock()
	r := n.receivers[host]
	if r == nil {
		r = &receiver{}
		n.receivers[host] = r
	}
	switch {
	case now.Before(r.restUntil):
		pause := r.restUntil.Sub(now)
		n.mu.Unlock()
		n.retry(ctx, &t, pause, errNoAnswer)
	case len(r.queue) >= noticeQueue:
		n.mu.Unlock()
		n.postpone(ctx, &t, jitter(noticeCrowded))
	default:
		r.queue = append(r.queue, t)
		n.backlog++
		// A host that has failed is tried with one notice before it gets more.
		if r.senders == 0 || r.failures == 0 && r.senders < noticeHostSenders {
			r.senders++
			n.running.Add(1)
			go n.serve(ctx, host, r)
		}
		n.mu.Unlock()
	}
}

// serve sends what waits for a host, one after the other.
func (n *notices) serve(ctx context.Context, host string, r *receiver) {
	defer n.running.Done()
	for {
		t, ok := n.next(host, r)
		if !ok {
			return
		}
		if ctx.Err() != nil {
			n.postpone(ctx, &t, 0) // for whoever runs on
			continue
		}
		if n.provider.now().After(t.until.Add(-2 * noticeTimeout)) {
			continue // it waited for so long that another replica may have it by now
		}
		n.senders <- struct{}{}
		answered := n.tell(ctx, &t)
		<-n.senders
		if !answered {
			n.rest(ctx, r)
		} else {
			n.mu.Lock()
			r.failures = 0
			n.mu.Unlock()
		}
	}
}

// next takes a notice out of a host's queue. Without any the sender ends.
func (n *notices) next(host string, r *receiver) (t taken, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(r.queue) == 0 {
		if r.senders--; r.senders == 0 && !n.provider.now().Before(r.restUntil) {
			delete(n.receivers, host)
		}
		return t, false
	}
	t, r.queue = r.queue[0], r.queue[1:]
	n.backlog--
	return t, true
}

// rest holds back what waits for a host that did not answer: one timeout tells as much as sixty.
func (n *notices) rest(ctx context.Context, r *receiver) {
	n.mu.Lock()
	now := n.provider.now()
	if !now.Before(r.restUntil) { // else another sender has seen the same
		r.failures++
		r.restUntil = now.Add(min(minNoticePause<<min(r.failures-1, 8), maxHostRest))
	}
	pause, waiting := r.restUntil.Sub(now), r.queue
	r.queue = nil
	n.backlog -= len(waiting)
	n.mu.Unlock()
	for i := range waiting {
		n.retry(ctx, &waiting[i], pause, errNoAnswer)
	}
}

// jitter returns d and up to a quarter more, so that what has failed together is not tried together again.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/4+time.Millisecond) //nolint:gosec // spreads load, guards nothing
}
