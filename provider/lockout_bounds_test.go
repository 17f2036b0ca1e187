package provider

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// guessesPerDay returns how many failures in a day a counter lets happen at most: somebody fails so and so often, each time as soon as
// they may, and then does nothing until all is forgotten, or never stops.
func guessesPerDay(c counter, window time.Duration) int {
	best := 0.0
	took := time.Duration(0)
	for n := 1; n < 1000; n++ {
		wait := c.waitAfter(n)
		rested := float64(n) / (took + wait + window).Hours()
		took += wait
		onAndOn := 0.0
		if c.waitAfter(n) == c.longest {
			onAndOn = 1 / c.longest.Hours()
		}
		best = max(best, 24*rested, 24*onAndOn)
	}
	return int(best)
}

// docs/accounts.md says how many guesses remain: these.
func TestGuessesPerDay(t *testing.T) {
	settings := registration.DefaultSettings().Login
	window := time.Duration(settings.Window)
	own, shared := strangerCounters(settings, "ada", "203.0.113.7", false), strangerCounters(settings, "ada", "10.0.0.1", true)
	for name, c := range map[string]struct {
		counter counter
		want    int
	}{
		"a name from an address":               {own[0], 925},
		"a name from anywhere":                 {own[1], 5011},
		"an address, any name":                 {own[2], 5011},
		"a name through a proxy nobody named":  {shared[0], 1440},
		"a name from anywhere, one such proxy": {shared[1], 5011},
		"a name in a browser that is known":    {counter{limit: settings.MaxAttempts, longest: window}, 925},
	} {
		t.Run(name, func(t *testing.T) {
			if got := guessesPerDay(c.counter, window); got != c.want {
				t.Errorf("%d guesses a day, not %d", got, c.want)
			}
		})
	}
	// What others do elsewhere makes nobody wait for longer than a minute.
	for _, c := range []counter{own[1], own[2], shared[0], shared[1]} {
		if wait := c.waitAfter(1_000_000); wait != time.Minute {
			t.Errorf("the longest wait is %s", wait)
		}
	}
	if len(shared) != 2 {
		t.Error("who shares a proxy with others waits for what they do to other names")
	}
}
