package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// noticeResult is the result label of the counter of logout notices.
type noticeResult string

const (
	noticeDelivered noticeResult = "delivered"
	// noticeRetried: the client did not take it and is told again.
	noticeRetried noticeResult = "retried"
	noticeGivenUp noticeResult = "given_up"
	// noticeDropped: the client is gone or does not want to be told any more.
	noticeDropped noticeResult = "dropped"
)

// collectors returns the metrics of the notices.
func (n *notices) collectors() []prometheus.Collector {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oidc_provider_logout_notices_total", Help: "Back-channel logout notices, by result of an attempt.",
	}, []string{"result"})
	for _, result := range []noticeResult{noticeDelivered, noticeRetried, noticeGivenUp, noticeDropped} {
		n.results[result] = results.WithLabelValues(string(result))
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "oidc_provider_logout_notices_waiting", Help: "Back-channel logout notices in storage, those of all replicas, as of a few seconds ago.",
	}, func() float64 { return float64(n.stored.Load()) })
	return []prometheus.Collector{results, waiting}
}

// noticeStorageTimeout bounds what is written down of a notice after the provider was told to stop.
const noticeStorageTimeout = 2 * time.Second

// maxNoticeAnswer is how much of an answer is read, so that the connection can be used again. Nothing in it matters.
const maxNoticeAnswer = 16 << 10

// errNoAnswer: the host did not answer, or only to say that it cannot serve now. Others would fare no better there.
var errNoAnswer = errors.New("no answer")

// errNoticeExpired: nobody has looked between the time when the next attempt was due and the end.
var errNoticeExpired = errors.New("its time was up before it could be tried again")

// errPlainReceiver: a registration may name http on a loopback host, but that is this machine and not the application's. What else
// listens there, such as a proxy beside the provider, trusts whoever reaches it and must not be sent requests by applications.
var errPlainReceiver = errors.New("backchannel_logout_uri must be https; http is only for a loopback host, where the issuer is on one, too")

// tell sends a notice and writes down what became of it. answered is false when the host should rest.
func (n *notices) tell(ctx context.Context, t *taken) (answered bool) {
	p := n.provider
	client, wanted := n.receiverOf(t)
	if !wanted {
		n.drop(ctx, t)
		return true
	}
	// An attempt that has begun is brought to its end, also when the provider stops: the client may have heard already.
	err := n.send(context.WithoutCancel(ctx), client, &t.Notice)
	if err == nil {
		n.results[noticeDelivered].Inc()
		p.logger.InfoContext(ctx, "client told of logout", "client_id", t.Client.ID, "session_id", t.SessionID, "attempts", t.Attempts)
		p.record(ctx, auditLogoutNotified, t.attributes()...)
		n.forget(ctx, t)
		return true
	}
	n.retry(ctx, t, 0, err)
	return !errors.Is(err, errNoAnswer)
}

// retry puts a notice off for as long as it is old, and for atLeast, or gives it up when it would be too late then.
func (n *notices) retry(ctx context.Context, t *taken, atLeast time.Duration, cause error) {
	p := n.provider
	now := p.now()
	age := now.Sub(t.ExpiresAt.Add(-noticeLifetime))
	pause := jitter(max(min(max(age, minNoticePause), maxNoticePause), atLeast))
	if now.Add(pause).Before(t.ExpiresAt) {
		n.results[noticeRetried].Inc()
		p.logger.WarnContext(ctx, "client not told of logout yet", "client_id", t.Client.ID, "session_id", t.SessionID, "attempts", t.Attempts,
			"again_in", pause.Round(time.Second), "error", cause)
		n.postpone(ctx, t, pause)
		return
	}
	n.giveUp(ctx, t, cause)
}

// giveUp forgets a notice that comes too late, and tells the administrator.
func (n *notices) giveUp(ctx context.Context, t *taken, cause error) {
	p := n.provider
	n.results[noticeGivenUp].Inc()
	p.logger.ErrorContext(ctx, "client not told of logout", "client_id", t.Client.ID, "session_id", t.SessionID, "attempts", t.Attempts, "error", cause)
	p.record(ctx, auditLogoutFailed, append(t.attributes(), slog.String("reason", cause.Error()))...)
	n.forget(ctx, t)
}

func (t *taken) attributes() []slog.Attr {
	return []slog.Attr{
		slog.String("client_id", t.Client.ID), slog.String("sub", t.Subject), slog.String("session_id", t.SessionID), slog.Int("attempts", t.Attempts),
	}
}

// receiverOf returns the client that a notice is for, unless it does not want to be told any more.
func (n *notices) receiverOf(t *taken) (client *registration.Client, wanted bool) {
	client, known := n.provider.registered(t.Client)
	return client, known && !client.Disabled && client.BackchannelLogoutURI != ""
}

// send makes one attempt (OpenID Connect Back-Channel Logout section 2.5): 200 or 204 means that the client has ended the
// session (section 2.8).
func (n *notices) send(ctx context.Context, client *registration.Client, notice *store.Notice) error {
	token, err := n.provider.signLogoutToken(client, notice)
	if err != nil {
		return err
	}
	form := url.Values{"logout_token": {token}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, client.BackchannelLogoutURI, strings.NewReader(form))
	if err != nil {
		return err
	}
	if r.URL.Scheme != "https" && !oidc.IsLoopback(n.provider.hostname()) {
		return errPlainReceiver
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "oidc-operator")
	response, err := n.client.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxNoticeAnswer)) // the status is all that counts
	switch status := response.StatusCode; {
	case status == http.StatusOK || status == http.StatusNoContent:
		return nil
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: status %d", errNoAnswer, status)
	default:
		return fmt.Errorf("status %d", status)
	}
}

// drop forgets a notice that nobody wants any more.
func (n *notices) drop(ctx context.Context, t *taken) {
	n.results[noticeDropped].Inc()
	n.provider.logger.InfoContext(ctx, "client is not told of logouts any more", "client_id", t.Client.ID, "session_id", t.SessionID)
	n.forget(ctx, t)
}

// forget deletes a notice. When that fails it is sent once more after the lease, which does no harm.
func (n *notices) forget(ctx context.Context, t *taken) {
	n.write(ctx, "delete", func(ctx context.Context) error { return n.provider.store.DeleteNotice(ctx, t.ID) })
}

// postpone gives a notice back to storage. When that fails it is due after the lease.
func (n *notices) postpone(ctx context.Context, t *taken, pause time.Duration) {
	due := n.provider.now().Add(pause)
	n.write(ctx, "postpone", func(ctx context.Context) error { return n.provider.store.PostponeNotice(ctx, t.ID, due) })
	if pause < noticePoll && ctx.Err() == nil {
		time.AfterFunc(pause, n.wakeUp)
	}
}

func (n *notices) write(ctx context.Context, what string, change func(context.Context) error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), noticeStorageTimeout)
	defer cancel()
	if err := change(bounded); err != nil {
		n.provider.logger.ErrorContext(ctx, "logout notice not written down", "what", what, "error", err)
	}
}
