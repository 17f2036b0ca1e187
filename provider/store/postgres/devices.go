package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const deviceColumns = `handle, user_code, client_id, scopes, resources, poll_interval, polled_at, denied, grant_id, expires_at, client_uid, network`

func scanDeviceRequest(row pgx.CollectableRow) (r store.DeviceRequest, err error) {
	err = row.Scan((*bytes32)(&r.Handle), &r.UserCode, &r.Client.ID, (*words)(&r.Scopes), (*words)(&r.Resources),
		(*microDuration)(&r.Interval), (*microTime)(&r.PolledAt), &r.Denied, &r.GrantID, (*microTime)(&r.ExpiresAt), &r.Client.UID, &r.Network)
	return r, err
}

// CreateDeviceRequest implements store.Store.
func (s *Store) CreateDeviceRequest(ctx context.Context, r store.DeviceRequest) error {
	changed, err := s.exec(ctx, "create device request", `INSERT INTO device_requests (`+deviceColumns+`, size)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (user_code) DO NOTHING`,
		r.Handle[:], r.UserCode, r.Client.ID, list(r.Scopes), rawList(r.Resources), r.Interval.Microseconds(), optionalTime(r.PolledAt),
		r.Denied, r.GrantID, micros(r.ExpiresAt), r.Client.UID, r.Network, r.Size())
	if err == nil && changed == 0 {
		return store.ErrReplayed
	}
	return err
}

// DeviceRequestByUserCode implements store.Store.
func (s *Store) DeviceRequestByUserCode(ctx context.Context, userCode string) (store.DeviceRequest, error) {
	if !nameable(userCode) {
		return store.DeviceRequest{}, store.ErrNotFound
	}
	return get(ctx, s, "get device request", scanDeviceRequest,
		`SELECT `+deviceColumns+` FROM device_requests WHERE user_code = $1`, userCode)
}

// DecideDeviceRequest implements store.Store.
func (s *Store) DecideDeviceRequest(ctx context.Context, h store.Handle, g *store.Grant) error {
	const operation = "decide device request"
	if g == nil {
		return s.decide(ctx, operation, denyDevice, h[:])
	}
	return s.decide(ctx, operation, allowDevice, grantArgs(g, h[:])...)
}

const (
	denyDevice = `WITH decided AS (UPDATE device_requests SET denied = true WHERE handle = $1 AND NOT denied AND grant_id = '' RETURNING 1)
	SELECT EXISTS (SELECT 1 FROM decided), EXISTS (SELECT 1 FROM device_requests WHERE handle = $1)`
	allowDevice = `WITH decided AS (UPDATE device_requests SET grant_id = $1 WHERE handle = $28 AND NOT denied AND grant_id = '' RETURNING 1),
	given AS (INSERT INTO grants (` + grantColumns + `) SELECT ` + grantValues + ` FROM decided)
	SELECT EXISTS (SELECT 1 FROM decided), EXISTS (SELECT 1 FROM device_requests WHERE handle = $28)`
)

// PollDeviceRequest implements store.Store.
func (s *Store) PollDeviceRequest(ctx context.Context, h store.Handle, polledAt time.Time, interval time.Duration) (store.DeviceRequest, error) {
	return changeAndGet(ctx, s, "poll device request", scanDeviceRequest, pollDevice, h[:], optionalTime(polledAt), interval.Microseconds())
}

var pollDevice = `UPDATE device_requests d SET polled_at = $2, poll_interval = $3
	FROM (SELECT * FROM device_requests WHERE handle = $1 FOR UPDATE) before WHERE d.handle = before.handle
	RETURNING ` + columnsOf("before", deviceColumns)

// RedeemDeviceRequest implements store.Store.
func (s *Store) RedeemDeviceRequest(ctx context.Context, h store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.decide(ctx, "redeem device request", redeemDevice, exchangeArgs(h[:], &r, t, expiresAt)...)
}

// redeemDevice locks request and grant first: whoever waited for that finds the request gone, and a grant that is being revoked
// leaves the request as it is.
var redeemDevice = `WITH allowed AS (SELECT d.handle, g.id FROM device_requests d JOIN grants g ON g.id = d.grant_id
		WHERE d.handle = $1 FOR UPDATE),
	used AS (DELETE FROM device_requests USING allowed WHERE device_requests.handle = allowed.handle),
	renewed AS (UPDATE grants SET ` + renewal + ` FROM allowed WHERE grants.id = allowed.id),
	` + issue("allowed") + `
	SELECT EXISTS (SELECT 1 FROM allowed), false`
