package controllers

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fault is what happens to one write.
type fault int

const (
	noFault fault = iota
	stopBefore
	stopAfter
	conflict
	timeoutDone
	timeoutNotDone
	tooManyRequests
)

func (f fault) String() string {
	return [...]string{"no fault", "stop before", "stop after", "conflict", "timeout, done", "timeout, not done", "429"}[f]
}

// errStopped ends a reconcile as the end of the process would: nothing that it remembers is used again.
var errStopped = errors.New("the operator has been stopped")

// write does one write, or what the fault makes of it, and then looks whether everybody can still prove himself.
func (r *rig) write(write func() error) error {
	do := func() error {
		r.operating = true
		defer func() { r.operating = false }()
		return write()
	}
	r.writes++
	if !r.armed || r.writes != r.faultAt {
		err := do()
		r.look()
		return err
	}
	resource := schema.GroupResource{Resource: "things"}
	switch r.fault {
	case stopBefore:
		return errStopped
	case stopAfter:
		_ = do() // the API server may refuse it, where the cache lags
		r.look()
		return errStopped
	case conflict:
		return apierrors.NewConflict(resource, "x", errors.New("changed meanwhile"))
	case timeoutDone:
		_ = do()
		r.look()
		return apierrors.NewTimeoutError("no answer", 1)
	case timeoutNotDone:
		return apierrors.NewTimeoutError("no answer", 1)
	case tooManyRequests:
		return apierrors.NewTooManyRequests("later", 1)
	default:
		return do()
	}
}

// faultless tells whether an error is one that a fault has made, or one that somebody else's object makes and that is only returned to
// be tried again.
func faultless(err error) bool {
	if _, taken := asNotOwned(err); taken {
		return true
	}
	return apierrors.IsConflict(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err)
}
