package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// devicePollSlack is how much too early a poll may come: networks do not keep time.
const devicePollSlack = time.Second

// What a device is told that has to poll on or to stop (RFC 8628 section 3.5).
var (
	errDevicePending = &oidc.Error{Code: oidc.CodeAuthorizationPending, Description: "the person has not decided yet"}
	errDeviceTooFast = &oidc.Error{Code: oidc.CodeSlowDown, Description: "the interval between two polls is five seconds longer from now on"}
	errDeviceExpired = &oidc.Error{Code: oidc.CodeExpiredToken, Description: "the device_code has expired"}
	errDeviceDenied  = &oidc.Error{Code: oidc.CodeAccessDenied, Description: "the person did not agree"}
	errDeviceCode    = &oidc.Error{Code: oidc.CodeInvalidGrant, Description: "the device_code is unknown or was used before"}
)

// grantDevice exchanges a device code once its person has agreed (RFC 8628 section 3.4). Until then it tells the device how
// things stand.
func (p *Provider) grantDevice(ctx context.Context, t *tokenRequest) (*tokenAnswer, error) {
	value := t.params.Get("device_code")
	if value == "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "device_code is missing"}
	}
	handle, now := store.HandleOf(value), p.now()
	request, err := p.store.PollDeviceRequest(ctx, handle, now, deviceInterval)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, goneDeviceCode(handle, now)
	case err != nil:
		return nil, fmt.Errorf("read device request: %w", err)
	case request.Client != storedAs(t.client):
		return nil, invalidGrant("the device_code was issued to another client")
	}
	if err := p.useProof(ctx, t.proof); err != nil {
		return nil, err
	}
	switch {
	case !now.Before(request.ExpiresAt):
		return nil, errDeviceExpired
	case request.Denied:
		return nil, errDeviceDenied
	case request.GrantID == "":
		return nil, p.deviceMustWait(ctx, &request, now)
	}
	return p.redeemDevice(ctx, t, &request)
}

// goneDeviceCode tells a device that has polled too long, whose code may be purged already, from one that never had a code
// or has used it.
func goneDeviceCode(handle store.Handle, now time.Time) error {
	if age := now.Sub(store.TimeOf(handle)); age >= deviceLifetime && age < 24*time.Hour {
		return errDeviceExpired
	}
	return errDeviceCode
}

// deviceMustWait answers a poll before the decision. One that comes too early makes the interval longer for good.
func (p *Provider) deviceMustWait(ctx context.Context, before *store.DeviceRequest, now time.Time) error {
	answer, interval := errDevicePending, before.Interval
	if !before.PolledAt.IsZero() && now.Sub(before.PolledAt) < interval-devicePollSlack {
		answer, interval = errDeviceTooFast, interval+deviceInterval
	}
	if interval != deviceInterval { // which the poll has set
		if _, err := p.store.PollDeviceRequest(ctx, before.Handle, now, interval); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("slow device down: %w", err)
		}
	}
	return answer
}

// redeemDevice signs first and then uses up the code, as redeemCode does.
func (p *Provider) redeemDevice(ctx context.Context, t *tokenRequest, request *store.DeviceRequest) (*tokenAnswer, error) {
	grant, err := p.store.Grant(ctx, request.GrantID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errDeviceDenied // the person has thought better of it
	}
	if err != nil {
		return nil, fmt.Errorf("read grant: %w", err)
	}
	made, err := p.mint(ctx, t, &grant, "")
	if err != nil {
		return nil, err
	}
	err = p.store.RedeemDeviceRequest(ctx, request.Handle, made.refresh, made.token, made.grantExpiresAt)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errDeviceCode
	case err != nil:
		return nil, fmt.Errorf("redeem device code: %w", err)
	}
	return made.answer, nil
}
