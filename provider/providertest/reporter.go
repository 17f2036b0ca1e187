package providertest

import (
	"context"
	"fmt"
)

// reporter is what of testing.TB is used here.
type reporter interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// panicking takes the place of a test where there is none.
type panicking struct{}

// Helper implements reporter.
func (panicking) Helper() {}

// Context implements reporter.
func (panicking) Context() context.Context { return context.Background() }

// Fatal implements reporter.
func (panicking) Fatal(args ...any) { panic("providertest: " + fmt.Sprint(args...)) }

// Fatalf implements reporter.
func (panicking) Fatalf(format string, args ...any) {
	panic("providertest: " + fmt.Sprintf(format, args...))
}
