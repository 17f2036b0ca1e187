package controllers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func newTestQueue(t *testing.T) *fairQueue {
	t.Helper()
	q := newFairQueue("", workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Hour, time.Hour)).(*fairQueue)
	t.Cleanup(q.ShutDown)
	return q
}

func request(namespace string, n int) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: fmt.Sprint(n)}}
}

// taken waits until everything that was added is due, and returns the order in which it comes, with its priorities.
func taken(q *fairQueue, n int) (order []string, priorities []int) {
	for q.Len() < n {
		time.Sleep(time.Millisecond)
	}
	for range n {
		item, priority, _ := q.GetWithPriority()
		q.Done(item)
		order, priorities = append(order, item.String()), append(priorities, priority)
	}
	return order, priorities
}

// A namespace with much to do waits behind the first requests of every other, and its own come in the order in which they were added.
func TestFairQueue(t *testing.T) {
	q := newTestQueue(t)
	for i := range 100 {
		q.Add(request("busy", i))
		q.Add(request("busy", i)) // once is enough
	}
	for i := range 3 {
		q.Add(request("calm", i))
	}
	order, priorities := taken(q, 103)
	if want := []string{"busy/0", "calm/0", "busy/1", "calm/1", "busy/2", "calm/2", "busy/3"}; !slices.Equal(order[:len(want)], want) {
		t.Errorf("it comes as %v", order[:len(want)])
	}
	var busy []string
	for i := range 100 {
		busy = append(busy, request("busy", i).String())
	}
	if got := slices.DeleteFunc(order, func(s string) bool { return s[0] != 'b' }); !slices.Equal(got, busy) {
		t.Errorf("those of one namespace come as %v", got)
	}
	if slices.ContainsFunc(priorities, func(p int) bool { return p != 0 }) {
		t.Errorf("the priorities are %v", priorities)
	}
	if len(q.waiting) != 0 || len(q.namespaces) != 0 {
		t.Errorf("it remembers %v and %v", q.waiting, q.namespaces)
	}
}

// What waits for a time does not come before what others have to do now, when it becomes due at once.
func TestFairQueueWithScheduledRequests(t *testing.T) {
	q := newTestQueue(t)
	for i := range 30 {
		q.AddAfter(request("busy", i), time.Hour)
		q.AddRateLimited(request("busy", i))
	}
	for i := range 30 {
		q.Add(request("busy", i))
	}
	q.Add(request("calm", 0))
	if order, _ := taken(q, 31); order[0] != "busy/0" || order[1] != "calm/0" {
		t.Errorf("it comes as %v", order)
	}
}

// What is known from the start of the operator comes after what has changed since, of whatever namespace.
func TestFairQueueKeepsPriorities(t *testing.T) {
	q := newTestQueue(t)
	for i := range 20 {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, request("busy", i))
	}
	for i := 20; i < 40; i++ {
		q.Add(request("busy", i))
	}
	order, priorities := taken(q, 40)
	if order[0] != "busy/20" || order[19] != "busy/39" || order[20] != "busy/0" || priorities[0] != 0 || priorities[39] != handler.LowPriority {
		t.Errorf("it comes as %v with %v", order, priorities)
	}
}
