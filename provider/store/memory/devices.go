package memory

import (
	"context"
	"slices"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateDeviceRequest implements store.Store.
func (s *Store) CreateDeviceRequest(ctx context.Context, r store.DeviceRequest) error {
	r.Scopes, r.Resources = slices.Clone(r.Scopes), slices.Clone(r.Resources)
	r.PolledAt, r.ExpiresAt = micros(r.PolledAt), micros(r.ExpiresAt)
	return s.call(ctx, func() error {
		if _, err := s.deviceByUserCode(r.UserCode); err == nil {
			return store.ErrReplayed
		}
		return insert(s.devices, r.Handle, r)
	})
}

func (s *Store) deviceByUserCode(userCode string) (store.DeviceRequest, error) {
	for _, r := range s.devices {
		if r.UserCode == userCode {
			r.Scopes, r.Resources = slices.Clone(r.Scopes), slices.Clone(r.Resources)
			return r, nil
		}
	}
	return store.DeviceRequest{}, store.ErrNotFound
}

// DeviceRequestByUserCode implements store.Store.
func (s *Store) DeviceRequestByUserCode(ctx context.Context, userCode string) (found store.DeviceRequest, err error) {
	err = s.call(ctx, func() error {
		found, err = s.deviceByUserCode(userCode)
		return err
	})
	return found, err
}

// DecideDeviceRequest implements store.Store.
func (s *Store) DecideDeviceRequest(ctx context.Context, h store.Handle, g *store.Grant) error {
	return s.call(ctx, func() error {
		r, ok := s.devices[h]
		switch {
		case !ok:
			return store.ErrNotFound
		case r.Denied || r.GrantID != "":
			return store.ErrRedeemed
		case g == nil:
			r.Denied = true
		default:
			if err := s.insertGrant(*g); err != nil {
				return err
			}
			r.GrantID = g.ID
		}
		s.devices[h] = r
		return nil
	})
}

// PollDeviceRequest implements store.Store.
func (s *Store) PollDeviceRequest(ctx context.Context, h store.Handle, polledAt time.Time, interval time.Duration) (before store.DeviceRequest, err error) {
	err = s.call(ctx, func() error {
		r, ok := s.devices[h]
		if !ok {
			return store.ErrNotFound
		}
		before = r
		before.Scopes, before.Resources = slices.Clone(r.Scopes), slices.Clone(r.Resources)
		r.PolledAt, r.Interval = micros(polledAt), interval
		s.devices[h] = r
		return nil
	})
	return before, err
}

// RedeemDeviceRequest implements store.Store.
func (s *Store) RedeemDeviceRequest(ctx context.Context, h store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.call(ctx, func() error {
		request, ok := s.devices[h]
		if !ok {
			return store.ErrNotFound
		}
		g, ok := s.grants[request.GrantID]
		if !ok {
			return store.ErrNotFound
		}
		if err := s.renew(g, r, t, expiresAt); err != nil {
			return err
		}
		delete(s.devices, h)
		return nil
	})
}

// Failures implements store.Store.
func (s *Store) Failures(ctx context.Context, key store.Handle, now time.Time) (f store.Failures, err error) {
	err = s.call(ctx, func() error {
		if found := s.failures[key]; found.ExpiresAt.After(now) {
			f = found
		}
		return nil
	})
	return f, err
}

// AddFailure implements store.Store.
func (s *Store) AddFailure(ctx context.Context, key store.Handle, now, expiresAt time.Time) (f store.Failures, err error) {
	err = s.call(ctx, func() error {
		if found := s.failures[key]; found.ExpiresAt.After(now) {
			f = found
		}
		f.Count++
		f.LastAt, f.ExpiresAt = micros(now), micros(expiresAt)
		s.failures[key] = f
		return nil
	})
	return f, err
}

// ClearFailures implements store.Store.
func (s *Store) ClearFailures(ctx context.Context, key store.Handle) error {
	return s.call(ctx, func() error { delete(s.failures, key); return nil })
}

// PutPassword implements store.Store.
func (s *Store) PutPassword(ctx context.Context, p store.Password) error {
	p.ChangedAt = micros(p.ChangedAt)
	return s.call(ctx, func() error { s.passwords[p.Subject] = p; return nil })
}

// Password implements store.Store.
func (s *Store) Password(ctx context.Context, subject string) (store.Password, error) {
	return find(ctx, s, s.passwords, subject)
}
