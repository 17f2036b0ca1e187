package provider

import (
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// One client does not take the turns of others, however many of its requests come at a time.
func TestEvaluationsTakeTurns(t *testing.T) {
	e := newEvaluations()
	e.slots = make(chan struct{}, 2)
	dear, other := &registration.Client{ClientID: "dear"}, &registration.Client{ClientID: "other"}
	started, release, done := make(chan struct{}, 10), make(chan struct{}), make(chan struct{})
	for range 10 {
		go func() {
			e.do(dear, func() { started <- struct{}{}; <-release })
			done <- struct{}{}
		}()
	}
	<-started
	ran := false
	for range 100 { // while the others wait
		e.do(other, func() { ran = true })
	}
	if !ran || len(started) != 0 {
		t.Errorf("%d more of one client run at a time", len(started))
	}
	close(release)
	for range 10 {
		<-done
	}
	func() { // what panics gives its turn back
		defer func() { _ = recover() }()
		e.do(dear, func() { panic("broken") })
	}()
	e.do(dear, func() {})
	if len(e.slots) != 0 {
		t.Errorf("%d turns are not given back", len(e.slots))
	}
}
