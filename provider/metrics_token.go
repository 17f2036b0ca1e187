package provider

import (
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// tokenResults are the values of the result label of the tokens counter: success, or an error code of RFC 6749 section
// 5.2, RFC 8628 section 3.5, RFC 8707 section 2 or RFC 9449 section 5.
var tokenResults = []string{
	"success", "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
	"invalid_scope", "invalid_target", "invalid_dpop_proof", "use_dpop_nonce", "authorization_pending", "slow_down", "access_denied",
	"expired_token", "temporarily_unavailable", "server_error",
}

// tokenCounters count token requests. Those of results that every provider sees are there from the start, so that their
// rates are known from the first one on.
type tokenCounters struct {
	all     *prometheus.CounterVec
	success map[string]prometheus.Counter
}

func newTokenCounters() tokenCounters {
	c := tokenCounters{
		all: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oidc_provider_token_requests_total", Help: "Requests at the token endpoint, by grant type and result.",
		}, []string{"grant_type", "result"}),
		success: map[string]prometheus.Counter{},
	}
	for _, grantType := range registration.GrantTypes() {
		for _, result := range []string{"invalid_client", "invalid_grant", "server_error"} {
			c.all.WithLabelValues(grantType, result)
		}
		c.success[grantType] = c.all.WithLabelValues(grantType, "success")
	}
	return c
}

// countTokens counts one request. What a stranger has sent as the grant type never becomes a label.
func (m *metrics) countTokens(grantType string, err error) {
	if counter, ok := m.tokens.success[grantType]; ok && err == nil {
		counter.Inc()
		return
	}
	if !slices.Contains(registration.GrantTypes(), grantType) {
		grantType = "other"
	}
	m.tokens.all.WithLabelValues(grantType, tokenResult(err)).Inc()
}

// tokenResult returns the value of the result label for an error.
func tokenResult(err error) string {
	var known *oidc.Error
	switch {
	case err == nil:
		return "success"
	case errors.As(err, &known) && slices.Contains(tokenResults, known.Code):
		return known.Code
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, identity.ErrBusy):
		return oidc.CodeTemporarilyUnavailable
	}
	return oidc.CodeServerError
}
