package provider

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// auditEvent names what an audit record tells. docs/audit.md says for each what its attributes mean; a test holds the two
// together.
type auditEvent string

const (
	// auditLoginSucceeded: a person has proved who they are and a session has begun.
	auditLoginSucceeded auditEvent = "login.succeeded"
	// auditLoginFailed: what was typed proves nobody.
	auditLoginFailed auditEvent = "login.failed"
	// auditLoginBlocked: nothing was checked, because too many logins have failed before.
	auditLoginBlocked auditEvent = "login.blocked"
	// auditLogout: a person has logged out, here or through an application.
	auditLogout auditEvent = "logout"
	// auditSessionEnded: a session has ended in another way than by a logout in its own browser.
	auditSessionEnded auditEvent = "session.ended"
	// auditLogoutNotified: a client has been told of a logout through the back channel.
	auditLogoutNotified auditEvent = "logout.notified"
	// auditLogoutFailed: a client could not be told of a logout.
	auditLogoutFailed auditEvent = "logout.failed"
	// auditConsentGranted: a person has agreed to what a client wants to know.
	auditConsentGranted auditEvent = "consent.granted"
	// auditConsentDenied: a person has not agreed.
	auditConsentDenied auditEvent = "consent.denied"
	// auditConsentRevoked: a person has taken back what they agreed to.
	auditConsentRevoked auditEvent = "consent.revoked"
	// auditAccessDenied: a person has logged in to a client that is not for them.
	auditAccessDenied auditEvent = "access.denied"
	// auditDeviceApproved: a person has let a device in.
	auditDeviceApproved auditEvent = "device.approved"
	// auditDeviceDenied: a person has not let a device in.
	auditDeviceDenied auditEvent = "device.denied"
	// auditPasswordChanged: a person has chosen another password.
	auditPasswordChanged auditEvent = "password.changed"
	// auditClientRejected: a client could not prove who it is.
	auditClientRejected auditEvent = "client.rejected"
	// auditTokenIssued: the token endpoint has answered with tokens.
	auditTokenIssued auditEvent = "token.issued"
	// auditTokenReused: a code or refresh token that was used up came a second time, and all that came from it is revoked.
	auditTokenReused auditEvent = "token.reused"
	// auditGrantRevoked: what a person had authorized is revoked, because of what has become of the person.
	auditGrantRevoked auditEvent = "grant.revoked"
	// auditTokenRevoked: a client has given back a token.
	auditTokenRevoked auditEvent = "token.revoked"
	// auditKeysChanged: a signing key is new, is in another phase or is gone.
	auditKeysChanged auditEvent = "keys.changed"
)

// auditEvents lists every event.
func auditEvents() []auditEvent {
	return []auditEvent{
		auditLoginSucceeded, auditLoginFailed, auditLoginBlocked, auditLogout, auditSessionEnded, auditLogoutNotified, auditLogoutFailed,
		auditConsentGranted, auditConsentDenied, auditConsentRevoked, auditAccessDenied, auditDeviceApproved, auditDeviceDenied,
		auditPasswordChanged, auditClientRejected, auditTokenIssued, auditTokenReused, auditGrantRevoked, auditTokenRevoked, auditKeysChanged,
	}
}

// NewAuditLogger returns a logger for Options.Audit that writes one JSON object a line, each with one call of w.Write.
func NewAuditLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case a.Key == slog.MessageKey:
			a.Key = "event"
		case a.Key == slog.LevelKey:
			return slog.Attr{} // they are all of one level
		}
		return a
	}}))
}

// record writes an audit record, before the answer that it tells of is sent. attributes never hold a secret, a password, a
// token, a code or the value of a cookie, nor anything that a stranger has typed.
func (p *Provider) record(ctx context.Context, event auditEvent, attributes ...slog.Attr) {
	if counter, ok := p.metrics.events[event]; ok {
		counter.Inc()
	}
	if p.audit == nil {
		return
	}
	now := p.now()
	if flood := p.floods[event]; flood != nil {
		suppressed, allowed := flood.admit(now)
		if !allowed {
			return
		}
		if suppressed > 0 {
			attributes = append(attributes, slog.Int64("suppressed", suppressed))
		}
	}
	request, ok := ctx.Value(requestKey{}).(*requestInfo)
	if ok {
		attributes = append(attributes, slog.String("request_id", request.id), slog.String("address", request.address))
	}
	record := slog.NewRecord(now, slog.LevelInfo, string(event), 0)
	record.AddAttrs(attributes...)
	if err := p.audit.Handler().Handle(ctx, record); err != nil {
		p.metrics.auditErrors.Inc()
		lost := []any{"event", string(event), "error", err}
		if ok {
			lost = append(lost, "request_id", request.id)
		}
		p.logger.ErrorContext(ctx, "audit record is lost", lost...)
	}
}

// floods bound the events that anybody, or anybody with one account, can cause as often as they like at no cost: their records
// must not fill a disk.
type floods map[auditEvent]*flood

// How many records of one event are written: so many a second in the long run, and so many at once.
const (
	floodRate  = 10
	floodBurst = 100
)

func newFloods() floods {
	f := floods{}
	for _, event := range []auditEvent{
		auditClientRejected, auditLoginFailed, auditLoginBlocked,
		auditAccessDenied, auditConsentGranted, auditConsentDenied, auditConsentRevoked, auditDeviceApproved, auditDeviceDenied,
	} {
		f[event] = &flood{limiter: rate.NewLimiter(floodRate, floodBurst)}
	}
	return f
}

type flood struct {
	limiter    *rate.Limiter
	suppressed atomic.Int64
}

// admit tells whether a record may be written, and how many before it were not.
func (f *flood) admit(now time.Time) (suppressed int64, allowed bool) {
	if !f.limiter.AllowN(now, 1) {
		f.suppressed.Add(1)
		return 0, false
	}
	return f.suppressed.Swap(0), true
}

// requestInfo is what is known of whoever sent a request, in the request's context.
type requestInfo struct {
	id string
	// address is the sender's IP address; shared tells that it is that of a proxy which nobody has named.
	address string
	shared  bool
	// userAgent is what the browser says of itself: anything, of any length.
	userAgent string
	// languages are set by preferLanguages.
	languages []string
}

type requestKey struct{}

func (p *Provider) withInfo(r *http.Request, id string) *http.Request {
	address, shared := p.addressOf(r)
	if shared {
		p.noteUnknownProxy(r, address)
	}
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, &requestInfo{id: id, address: address, shared: shared, userAgent: r.UserAgent()}))
}

// infoOf returns what withInfo has put into a context.
func infoOf(ctx context.Context) *requestInfo {
	if request, ok := ctx.Value(requestKey{}).(*requestInfo); ok {
		return request
	}
	return &requestInfo{}
}
