package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
)

// grantTypeSynology is what audit records call an exchange.
const grantTypeSynology = "synology_sso"

// errExchangeQuota: the exchanges of one network come too fast.
var errExchangeQuota = errors.New("too many exchanges from one network")

// serveExchange tells an application's server who somebody is, for the token that its page was given.
func (p *Provider) serveExchange(w http.ResponseWriter, r *http.Request) error {
	w.Header().Add("Vary", "Origin")
	params, malformed, err := readQuery(r)
	if err != nil {
		return err
	}
	exchange, err := synologysso.ReadExchange(params, malformed)
	if err != nil {
		return err
	}
	grant, client, err := p.synologyGrant(r.Context(), exchange)
	if err != nil {
		// Only what fails is counted: whoever has a token is let in, whatever others of the network try.
		if !p.exchanges.take(network(infoOf(r.Context()).address), 1, p.now()) {
			return errExchangeQuota
		}
		return err
	}
	allowOrigin(w, r, client)
	data, err := p.redeemSynologyToken(r.Context(), client, grant, exchange.AppID != "")
	if err != nil {
		return err
	}
	p.record(r.Context(), auditTokenIssued, append(aboutGrant(grant), slog.String("client_id", client.ClientID),
		slog.String("grant_type", grantTypeSynology), slog.String("scope", synologysso.Scope))...)
	p.metrics.exchanges.WithLabelValues("success").Inc()
	p.respondJSON(w, http.StatusOK, synologysso.Answer{Success: true, Data: data})
	return nil
}

// allowOrigin lets the scripts of an application's own pages read the answer, and no others.
func allowOrigin(w http.ResponseWriter, r *http.Request, client *registration.Client) {
	if origin := r.Header.Get("Origin"); origin != "" && slices.Contains(synologysso.Origins(client.SynologySSO), origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

func invalidSynologyToken(detail string) error {
	return &synologysso.Fault{Status: synologysso.InvalidToken, Detail: detail}
}

// synologyGrant finds the grant of a token and the client to which it belongs. A request that fails a check leaves the token to whom
// it belongs.
func (p *Provider) synologyGrant(ctx context.Context, e synologysso.Exchange) (*store.Grant, *registration.Client, error) {
	errUnknown := invalidSynologyToken("the token is unknown or expired")
	var asked *registration.Client
	if e.AppID != "" {
		var known bool
		if asked, known = p.registry.ClientByAppID(e.AppID); !known || asked.Disabled {
			return nil, nil, &synologysso.Fault{Status: synologysso.InvalidAppID, Detail: "no application has this app_id, or it is switched off"}
		}
	}
	if len(e.Token) <= store.IDLength {
		return nil, nil, errUnknown
	}
	grant, err := p.store.Grant(ctx, e.Token[:store.IDLength])
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil, errUnknown
	case err != nil:
		return nil, nil, fmt.Errorf("read grant: %w", err)
	case !sameHandle(grant.Code.Handle, synologyHandle(e.Token)), !p.now().Before(grant.Code.ExpiresAt):
		return nil, nil, errUnknown
	case asked != nil && asked.ClientID != grant.Client.ID:
		return nil, nil, invalidSynologyToken("the token was issued to another application")
	}
	client, known := p.registered(grant.Client)
	switch {
	case !known || client.Disabled || client.SynologySSO == nil:
		return nil, nil, invalidSynologyToken("the application of the token is gone or switched off")
	case !slices.Contains(client.SynologySSO.RedirectURIs, grant.Code.RedirectURI):
		return nil, nil, invalidSynologyToken("the token went to a redirect URI that is not registered any more")
	}
	return &grant, client, nil
}

// redeemSynologyToken uses up the token last: what fails before must not cost the application its token.
//
// Without app_id the application that asks may be another than the one whose login it was, as the protocol allows. What that one makes of
// people's names by its own claims is not for others (RFC 9700 section 4.15): they are told the username of the directory.
func (p *Provider) redeemSynologyToken(ctx context.Context, client *registration.Client, grant *store.Grant, named bool) (*synologysso.Data, error) {
	if grant.Code.Redeemed {
		return nil, p.synologyReplayed(ctx, grant)
	}
	user, err := p.grantor(client, grant)
	var refused *oidc.Error
	if errors.As(err, &refused) {
		return nil, invalidSynologyToken(refused.Description)
	}
	if err != nil {
		return nil, err
	}
	name := user.Username
	if named {
		name = p.synologyName(client, user)
	}
	if name == "" {
		return nil, &synologysso.Fault{Status: synologysso.UnknownError, Detail: "the client's claims give this person no preferred_username"}
	}
	number, err := p.store.UserNumber(ctx, user.Subject, synologysso.Candidates(user.Subject))
	if err != nil {
		return nil, fmt.Errorf("number user: %w", err)
	}
	err = p.store.RedeemCode(ctx, grant.ID, store.Refresh{}, nil, grant.ExpiresAt)
	switch {
	case errors.Is(err, store.ErrRedeemed):
		return nil, p.synologyReplayed(ctx, grant)
	case errors.Is(err, store.ErrNotFound):
		return nil, invalidSynologyToken("the token was revoked")
	case err != nil:
		return nil, fmt.Errorf("redeem token: %w", err)
	}
	return &synologysso.Data{UserID: number, UserName: name}, nil
}

func (p *Provider) synologyReplayed(ctx context.Context, grant *store.Grant) error {
	p.recordReuse(ctx, grant, grantTypeSynology)
	return invalidSynologyToken("the token was used before")
}

// respondExchangeError answers an exchange that failed. What the application could do otherwise is told with status 200, because
// programs that speak this protocol look at the document alone.
func (p *Provider) respondExchangeError(w http.ResponseWriter, r *http.Request, err error) {
	var page *pageError
	code, ours := synologyFault(err)
	status := http.StatusOK
	switch {
	case errors.As(err, &page):
		code, ours, status = synologysso.ParameterError, false, page.status
		if status == http.StatusServiceUnavailable {
			code = synologysso.ServerError
		}
	case errors.Is(err, errExchangeQuota):
		code, ours, status = synologysso.ServerError, false, http.StatusTooManyRequests
	case code == synologysso.ServerError:
		status = http.StatusServiceUnavailable
	case ours:
		status = http.StatusInternalServerError
	}
	if ours {
		p.logFault(w, r, err)
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	p.metrics.exchanges.WithLabelValues(string(code)).Inc()
	p.respondJSON(w, status, synologysso.Answer{Error: code})
}

// newExchangeCounter counts exchanges by result: success, or what the application is told.
func newExchangeCounter() *prometheus.CounterVec {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oidc_provider_synology_exchanges_total", Help: "Exchanges of tokens of Synology SSO Server's protocol, by result.",
	}, []string{"result"})
	counter.WithLabelValues("success") // is there from the start, so that its rate is known from the first one on
	return counter
}
