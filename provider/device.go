package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// fieldUserCode is the parameter of verification_uri_complete (RFC 8628 section 3.3.1), and the field of the page.
const fieldUserCode = "user_code"

// A person may look up so many codes in so long. Counted is every code, right or wrong, before it is looked up, so that
// many requests at once get no further, and by person, because nobody gets here without a login. Of 20^8 codes, with a
// thousand devices waiting, somebody who tries all day hits one in about 20 years.
const (
	deviceLookups = 20
	deviceWindow  = 10 * time.Minute
)

// serveDevice asks for the code that a device shows, or, when the query has it, whether the device may come in (RFC 8628
// section 3.3).
func (p *Provider) serveDevice(w http.ResponseWriter, r *http.Request) error {
	query, _, err := readQuery(r)
	if err != nil {
		return err
	}
	typed := query.Get(fieldUserCode)
	code, readable := oidc.ReadUserCode(typed)
	b, err := p.currentBrowser(r)
	switch {
	case err != nil:
		return err
	case b == nil && readable:
		return p.askLogin(w, devicePage(code))
	case b == nil:
		return p.askLogin(w, pathDevice)
	case typed == "":
		return p.askUserCode(w, r, b, "")
	case !readable:
		return p.askUserCode(w, r, b, userCodeWrong)
	}
	allowed, err := p.mayLookUp(r.Context(), b)
	if err != nil {
		return err
	}
	if !allowed {
		return p.askUserCode(w, r, b, userCodeOften)
	}
	request, err := p.deviceRequest(r.Context(), code)
	if err != nil {
		return err
	}
	if request == nil {
		return p.askUserCode(w, r, b, userCodeWrong)
	}
	return p.confirmDevice(w, r, b, request)
}

// devicePage returns the page that asks about a device, below the issuer's path.
func devicePage(code string) string {
	return pathDevice + "?" + fieldUserCode + "=" + url.QueryEscape(oidc.ShowUserCode(code))
}

// Why the page asks for a code once more: they name texts of package web.
const (
	userCodeWrong = "wrong"
	userCodeOften = "often"
)

func (p *Provider) askUserCode(w http.ResponseWriter, r *http.Request, b *browser, fault string) error {
	status := map[string]int{"": http.StatusOK, userCodeWrong: http.StatusBadRequest, userCodeOften: http.StatusTooManyRequests}[fault]
	if fault == userCodeOften {
		w.Header().Set("Retry-After", fmt.Sprint(seconds(deviceWindow)))
	}
	return p.render(w, r, status, web.DeviceCode{
		Action: p.base + pathDevice, Token: p.formToken(w, r, pathDevice, b), Fault: fault,
		Person: personOf(b.user), Username: b.user.Username, OtherAccount: p.loginReturning(pathDevice),
	})
}

// mayLookUp counts a code that a person is about to look up.
func (p *Provider) mayLookUp(ctx context.Context, b *browser) (bool, error) {
	now := p.now()
	lookups, err := p.store.AddFailure(ctx, store.HandleOf("user codes looked up by "+b.Subject), now, now.Add(deviceWindow))
	if err != nil {
		return false, fmt.Errorf("count user codes: %w", err)
	}
	return lookups.Count <= deviceLookups, nil
}

// deviceRequest is one that still waits for a decision, with its client.
type deviceRequest struct {
	store.DeviceRequest
	client *registration.Client
}

// deviceRequest returns the request that waits under a user code, or nil.
func (p *Provider) deviceRequest(ctx context.Context, code string) (*deviceRequest, error) {
	request, err := p.store.DeviceRequestByUserCode(ctx, code)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // nothing waits: that is no error
	}
	if err != nil {
		return nil, fmt.Errorf("read device request: %w", err)
	}
	client, known := p.registered(request.Client)
	if !known || client.Disabled || !client.MayUse(registration.GrantDeviceCode) || request.Denied || request.GrantID != "" ||
		!p.now().Before(request.ExpiresAt) {
		return nil, nil //nolint:nilnil // see above
	}
	return &deviceRequest{request, client}, nil
}

// scopes returns those that the device gets.
func (d *deviceRequest) scopes() []string {
	return oidc.GrantedScopes(d.Scopes, d.client.Scopes())
}

// authorization returns the request as one that had come through a browser.
func (d *deviceRequest) authorization() *authorization {
	scopes := d.scopes()
	return &authorization{
		AuthorizationRequest: &oidc.AuthorizationRequest{Resources: d.Resources}, client: d.client, scopes: scopes, disclosed: scopes,
	}
}

// purpose names what the page asks about a device, for its form's token: the answer to one code is none to another, and
// whoever has the token was shown the page.
func devicePurpose(code string) string { return pathDevice + "\x00" + code }

// confirmDevice asks whether a device may come in. It asks whatever the client's consent says: the code may have come from
// somebody who wants to get into this person's account (RFC 8628 section 5.4).
func (p *Provider) confirmDevice(w http.ResponseWriter, r *http.Request, b *browser, d *deviceRequest) error {
	refusal, err := p.refusalOf(d.client, b.user)
	if err != nil {
		return err
	}
	if refusal != nil {
		return p.refuseDevice(w, r, b, d, refusal)
	}
	return p.render(w, r, http.StatusOK, web.DeviceConfirm{
		Application: applicationOf(d.client), Code: oidc.ShowUserCode(d.UserCode),
		Action: p.base + devicePage(d.UserCode), Token: p.formToken(w, r, devicePurpose(d.UserCode), b),
		Person: personOf(b.user), Username: b.user.Username,
		Shared:       p.sharedWith(d.authorization(), b.user),
		OtherAccount: p.loginReturning(devicePage(d.UserCode)),
	})
}

func (p *Provider) refuseDevice(w http.ResponseWriter, r *http.Request, b *browser, d *deviceRequest, f *refusal) error {
	p.record(r.Context(), auditAccessDenied, slog.String("sub", b.Subject), slog.String("session_id", b.ID),
		slog.String("client_id", d.Client.ID), slog.String("reason", f.reason))
	return p.render(w, r, http.StatusForbidden, web.Denied{
		Application: applicationOf(d.client), Reason: f.reason, Contacts: contactsOf(d.client), Device: true,
		Action: p.base + devicePage(d.UserCode), Token: p.formToken(w, r, devicePurpose(d.UserCode), b),
		Person: personOf(b.user), Username: b.user.Username, OtherAccount: p.loginReturning(devicePage(d.UserCode)),
	})
}

// serveDevicePost takes the code that was typed, or the decision about a device.
func (p *Provider) serveDevicePost(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
	query, _, err := readQuery(r)
	if err != nil {
		return err
	}
	code, decides := oidc.ReadUserCode(query.Get(fieldUserCode))
	b, err := p.currentBrowser(r)
	switch {
	case err != nil:
		return err
	case b == nil && decides:
		return p.askLogin(w, devicePage(code))
	case b == nil:
		return p.askLogin(w, pathDevice)
	case decides:
		return p.decideDevice(w, r, b, code, fields)
	}
	if err := p.checkForm(r, fields, pathDevice, b); err != nil {
		err.again = p.base + pathDevice
		return err
	}
	typed, readable := oidc.ReadUserCode(fields.Get(fieldUserCode))
	if !readable {
		return p.askUserCode(w, r, b, userCodeWrong)
	}
	p.redirect(w, p.base+devicePage(typed))
	return nil
}

// decideDevice lets a device in, or not.
func (p *Provider) decideDevice(w http.ResponseWriter, r *http.Request, b *browser, code string, fields oidc.Parameters) error {
	decision := fields.Get("decision")
	if err := p.checkForm(r, fields, devicePurpose(code), b); err != nil || !slices.Contains([]string{decisionAllow, decisionDeny}, decision) {
		return &pageError{status: http.StatusForbidden, text: "form", again: p.base + pathDevice}
	}
	d, err := p.deviceRequest(r.Context(), code)
	if err != nil {
		return err
	}
	if d == nil {
		return p.askUserCode(w, r, b, userCodeWrong) // it has expired, or was decided elsewhere
	}
	var grant *store.Grant
	event := auditDeviceDenied
	if decision == decisionAllow {
		refusal, err := p.refusalOf(d.client, b.user)
		if err != nil {
			return err
		}
		if refusal != nil {
			return p.refuseDevice(w, r, b, d, refusal)
		}
		if err := p.addConsent(r.Context(), d.client, b.Subject, d.authorization().agreement()); err != nil {
			return err
		}
		grant, event = p.deviceGrant(d, b), auditDeviceApproved
	}
	err = p.store.DecideDeviceRequest(r.Context(), d.Handle, grant)
	switch {
	case errors.Is(err, store.ErrRedeemed), errors.Is(err, store.ErrNotFound):
		return p.askUserCode(w, r, b, userCodeWrong)
	case err != nil:
		return fmt.Errorf("decide about device: %w", err)
	}
	p.trimGrants(r.Context(), b.Subject)
	p.record(r.Context(), event, slog.String("sub", b.Subject), slog.String("session_id", b.ID), slog.String("client_id", d.Client.ID),
		slog.String("scope", strings.Join(d.scopes(), " ")))
	return p.render(w, r, http.StatusOK, web.DeviceDone{Application: applicationOf(d.client), Allowed: grant != nil})
}

// deviceGrant is what a device gets. It belongs to no session: the person approves in a browser that may be anybody's and
// logs out there, while the device at home goes on. It ends when its refresh token does, or when the person takes it back
// on the account page.
func (p *Provider) deviceGrant(d *deviceRequest, b *browser) *store.Grant {
	now := p.now()
	return &store.Grant{
		ID: store.NewID(now), Client: d.Client, Subject: b.Subject, Credential: b.Credential, Scopes: d.scopes(), Resources: d.Resources,
		AuthTime: b.AuthTime, AuthMethods: b.AuthMethods, CreatedAt: now, ExpiresAt: d.ExpiresAt,
	}
}
