package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Wrong passwords are counted, and who has too many has to wait, longer each time; docs/accounts.md says why it is built
// like this. An attempt in a browser where the person has logged in before counts for that browser alone, so that no stranger
// can lock anybody out of their own browsers. Any other attempt counts three times: for the name from this address, so
// that one attacker blocks a name nowhere but where they are; for the name from anywhere, against an attacker with many
// addresses; and for the address with any name, against one password tried on many names.
//
// Nothing here looks at whether there is such a person: to an attacker all names are alike.

const (
	// wideFactor is how many more failures it takes for a name from anywhere, or an address with any name, than for a name
	// from one address.
	wideFactor = 10
	// maxSharedWait bounds the wait of somebody for what others have done: of an address, behind which a whole office may be,
	// and of a name that somebody tries from elsewhere.
	maxSharedWait = time.Minute
	// firstWait is the wait after the last failure that is free; each further one doubles it.
	firstWait = time.Second
)

// attempt is one try to prove who somebody is.
type attempt struct {
	counters []counter
	// known is the browser's mark for the person, if it has one.
	known string
}

// counter counts the failures under one key.
type counter struct {
	key store.Handle
	// limit is how many failures there may be before anybody has to wait, and longest bounds the wait.
	limit   int
	longest time.Duration
	// lasting tells that a success does not clear it.
	lasting bool
	before  store.Failures
}

// waitAfter returns how long to wait after so many failures.
func (c *counter) waitAfter(failures int) time.Duration {
	if failures < c.limit {
		return 0
	}
	if doublings := failures - c.limit; doublings < 20 { // 2^20 s are longer than any window
		return min(firstWait<<doublings, c.longest)
	}
	return c.longest
}

// prove checks a password, unless there were too many failures: then it returns how long to wait. While somebody has to wait,
// nothing is hashed and nothing counted, so that no wait grows by being ignored.
func (p *Provider) prove(r *http.Request, username, password string) (who identity.Identity, wait time.Duration, err error) {
	ctx := r.Context()
	a, err := p.newAttempt(r, username)
	if err != nil {
		return who, 0, err
	}
	if wait, err = p.wait(ctx, a); err != nil || wait > 0 {
		return who, wait, err
	}
	who, err = p.people.Authenticate(ctx, username, password)
	rejected := errors.Is(err, identity.ErrRejected)
	if err != nil && !rejected {
		return who, 0, err
	}
	// Of many attempts at a time all have passed the first look. Those that end after too many have failed learn nothing,
	// also when they were right.
	wait, errWait := p.wait(ctx, a)
	if errWait != nil || wait > 0 {
		return identity.Identity{}, wait, errWait
	}
	// An attacker who hangs up in time must not get away uncounted.
	if errCount := p.count(context.WithoutCancel(ctx), a, rejected); errCount != nil {
		return identity.Identity{}, 0, errCount
	}
	return who, 0, err
}

// newAttempt finds out what an attempt counts for.
func (p *Provider) newAttempt(r *http.Request, username string) (*attempt, error) {
	settings := p.registry.Settings().Login
	window, name := time.Duration(settings.Window), registration.FoldUsername(username)
	known, err := p.knownAs(r, username)
	if err != nil {
		return nil, err
	}
	if known != "" {
		return &attempt{known: known, counters: []counter{
			{key: store.HandleOf("browser:" + known + " user:" + name), limit: settings.MaxAttempts, longest: window},
		}}, nil
	}
	request := infoOf(r.Context())
	return &attempt{counters: strangerCounters(settings, name, network(request.address), request.shared)}, nil
}

// strangerCounters returns what an attempt for a name counts for that comes from an address, in a browser that nobody knows.
func strangerCounters(settings registration.Login, name, address string, shared bool) []counter {
	window, wide := time.Duration(settings.Window), wideFactor*settings.MaxAttempts
	brief := min(window, maxSharedWait)
	here := counter{key: store.HandleOf("address:" + address + " user:" + name), limit: settings.MaxAttempts, longest: window}
	anywhere := counter{key: store.HandleOf("user:" + name), limit: wide, longest: brief}
	if shared {
		here.longest = brief
		return []counter{here, anywhere}
	}
	return []counter{here, anywhere, {key: store.HandleOf("address:" + address), limit: wide, longest: brief, lasting: true}}
}

// wait reads the counters and returns how long the longest of them makes wait, zero when the attempt may go on.
func (p *Provider) wait(ctx context.Context, a *attempt) (longest time.Duration, err error) {
	now := p.now()
	for i := range a.counters {
		c := &a.counters[i]
		if c.before, err = p.store.Failures(ctx, c.key, now); err != nil {
			return 0, fmt.Errorf("read failed logins: %w", err)
		}
		longest = max(longest, c.before.LastAt.Add(c.waitAfter(c.before.Count)).Sub(now))
	}
	return max(longest, 0), nil
}

// count writes down how an attempt has ended. Success forgets what was counted for the name, but not for the address: there is
// always one account that an attacker knows the password of, their own.
func (p *Provider) count(ctx context.Context, a *attempt, rejected bool) error {
	now, window := p.now(), time.Duration(p.registry.Settings().Login.Window)
	for i := range a.counters {
		c := &a.counters[i]
		var err error
		switch {
		case rejected:
			// A failure counts for a window after the wait that it makes. If it did not outlive the wait, waiting would be a way to
			// begin anew.
			_, err = p.store.AddFailure(ctx, c.key, now, now.Add(c.waitAfter(c.before.Count+1)+window))
		case c.before.Count > 0 && !c.lasting:
			err = p.store.ClearFailures(ctx, c.key)
		}
		if err != nil {
			return fmt.Errorf("count login: %w", err)
		}
	}
	return nil
}

// network returns what of an address one person can choose freely: of IPv6 everybody has at least a /64.
func network(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil || parsed.Is4() || parsed.Is4In6() {
		return address
	}
	prefix, err := parsed.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
