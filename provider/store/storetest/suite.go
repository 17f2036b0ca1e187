package storetest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// cases are the tests of one subject by what they say.
type cases map[string]func(*testing.T, store.Store)

// Run checks an engine. open returns an empty store, which Run closes.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	all := cases{}
	for _, group := range []cases{
		sessionCases(), sessionEndCases(), consentCases(), grantCases(), redeemCases(), refreshCases(), accessTokenCases(), deviceCases(), requestCases(),
		failureCases(), passwordCases(), noticeCases(), userNumberCases(), boundCases(), purgeCases(), callCases(), concurrencyCases(),
	} {
		for name, run := range group {
			if all[name] != nil {
				t.Fatalf("two cases are named %q", name)
			}
			all[name] = run
		}
	}
	for name, run := range all {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
			})
			run(t, s)
		})
	}
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func mustBe(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got %v; want %v", what, err, want)
	}
}

func mustEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// found tells whether something is there, and fails the test when that cannot be told.
func found(t *testing.T, what string, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: %v", what, err)
	}
	return err == nil
}
