package provider

import (
	"fmt"
	"testing"
	"time"
)

// Clients come and go; what is counted of them does not grow with those that are gone.
func TestMilestonesAreBounded(t *testing.T) {
	m := milestones{step: 2, kept: 1}
	for n := range talliesKept + 100 {
		m.reached(fmt.Sprint(n), time.Time{})
	}
	if len(m.byKey) > talliesKept {
		t.Errorf("%d clients are counted", len(m.byKey))
	}
}
