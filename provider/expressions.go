package provider

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// What an expression of a registration is for: the values of the label use.
const (
	useClaim   = "claim"
	useSubject = "subject"
	useAccess  = "access"
)

// expressionFailures tells of expressions that have no result for somebody. What they say of the person stays out of the log.
type expressionFailures struct {
	logger  *slog.Logger
	now     func() time.Time
	counter *prometheus.CounterVec
	// limiter bounds the log: one that fails does so for every token of the client.
	limiter *rate.Limiter
}

func newExpressionFailures(logger *slog.Logger, now func() time.Time) *expressionFailures {
	f := &expressionFailures{
		logger: logger, now: now, limiter: rate.NewLimiter(floodRate, floodBurst),
		counter: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oidc_provider_expression_failures_total", Help: "Expressions of clients that had no result for a person, by what they are for and why.",
		}, []string{"use", "reason"}),
	}
	for _, use := range []string{useClaim, useSubject, useAccess} {
		f.counter.WithLabelValues(use, expression.ReasonValue)
	}
	return f
}

// note counts and logs a failure. claim is empty unless it is one that failed.
func (f *expressionFailures) note(client *registration.Client, use, claim string, err error) {
	reason := "internal"
	var known *expression.Error
	if errors.As(err, &known) {
		reason = known.Reason
	}
	f.counter.WithLabelValues(use, reason).Inc()
	if !f.limiter.AllowN(f.now(), 1) {
		return
	}
	attributes := []any{"client_id", client.ClientID, "use", use, "reason", reason, "error", err.Error()}
	if claim != "" {
		attributes = append(attributes, "claim", claim)
	}
	f.logger.Warn("expression of a client has failed", attributes...)
}

// ownClaim is a claim of a client's registration with its value for somebody. The value is nil when it is left out.
type ownClaim struct {
	name  string
	value json.RawMessage
}

// ownClaims evaluates the claims of a client's registration. One that fails is left out: an application does without it, or
// says what it lacks, while nobody could log in any more if it were an error.
func (p *Provider) ownClaims(client *registration.Client, user *registration.User) []ownClaim {
	if len(client.Claims) == 0 {
		return nil
	}
	in, own := client.ExpressionInput(user.ForExpressions(), p.now()), make([]ownClaim, len(client.Claims))
	for i := range client.Claims {
		name := client.Claims[i].Name
		var value json.RawMessage
		var err error
		p.evaluations.do(client, func() { value, err = client.EvaluateClaim(i, in) })
		if err != nil {
			p.expressions.note(client, useClaim, name, err)
		}
		own[i] = ownClaim{name, value}
	}
	return own
}

// withOwn returns document, an object with at least one member, with own beside its members. None has the name of another: such
// a one was taken out of the document when its value was decided.
func withOwn(document []byte, own []ownClaim) []byte {
	if len(own) == 0 {
		return document
	}
	joined := document[:len(document)-1]
	for _, claim := range own {
		joined = append(joined, `,"`...)
		joined = append(joined, claim.name...) // of characters that need no escape
		joined = append(joined, `":`...)
		joined = append(joined, claim.value...)
	}
	return append(joined, '}')
}
