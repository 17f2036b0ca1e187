package controllers

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// maxRank is how many requests of a namespace have a place of their own behind those of others. All further ones wait behind these. It is
// small because the priority is a label of the queue's metrics.
const maxRank = 15

// fairQueue lets the requests of one namespace wait behind the first ones of every other: the second that waits has a lower
// priority than the first, and so on. Without it, who changes thousands of resources at once holds up everybody else's.
type fairQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]

	mu sync.Mutex
	// waiting are the requests that are due and have not begun, with their rank, and namespaces how many of each there are.
	waiting    map[reconcile.Request]int
	namespaces map[string]*backlog
}

type backlog struct {
	waiting int
	// last is the rank that was given last. It grows until nothing waits, so that no later request overtakes an earlier one.
	last int
}

func newFairQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return &fairQueue{
		PriorityQueue: priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter }),
		waiting:       map[reconcile.Request]int{}, namespaces: map[string]*backlog{},
	}
}

// AddWithOpts gives each request its rank. What is to wait for a time has the last rank: when an event makes it due at once, it gets
// the one that it would have got without.
func (q *fairQueue) AddWithOpts(o priorityqueue.AddOpts, items ...reconcile.Request) {
	base := 0
	if o.Priority != nil {
		base = *o.Priority
	}
	for _, item := range items {
		rank := maxRank
		if o.After <= 0 && !o.RateLimited {
			rank = q.rank(item)
		}
		ranked := o
		ranked.Priority = new(base - rank)
		q.PriorityQueue.AddWithOpts(ranked, item)
	}
}

func (q *fairQueue) rank(item reconcile.Request) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if rank, ok := q.waiting[item]; ok {
		return rank
	}
	b := q.namespaces[item.Namespace]
	if b == nil {
		b = &backlog{last: -1}
		q.namespaces[item.Namespace] = b
	}
	b.waiting++
	b.last = min(b.last+1, maxRank)
	q.waiting[item] = b.last
	return b.last
}

// GetWithPriority returns a request with the priority that it was added with.
func (q *fairQueue) GetWithPriority() (item reconcile.Request, priority int, shutdown bool) {
	item, priority, shutdown = q.PriorityQueue.GetWithPriority()
	if shutdown {
		return item, priority, shutdown
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.waiting[item]; ok {
		delete(q.waiting, item)
		b := q.namespaces[item.Namespace]
		if b.waiting--; b.waiting == 0 {
			delete(q.namespaces, item.Namespace)
		}
	}
	for _, base := range []int{0, handler.LowPriority} {
		if priority <= base && priority >= base-maxRank {
			priority = base
		}
	}
	return item, priority, shutdown
}

// Add implements workqueue.TypedInterface, as do the next three.
func (q *fairQueue) Add(item reconcile.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, item) }

func (q *fairQueue) AddAfter(item reconcile.Request, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

func (q *fairQueue) AddRateLimited(item reconcile.Request) {
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

func (q *fairQueue) Get() (item reconcile.Request, shutdown bool) {
	item, _, shutdown = q.GetWithPriority()
	return item, shutdown
}
