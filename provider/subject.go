package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// The reasons why a client cannot know a person, see refusal.
const (
	reasonSubject         = "subject"
	reasonEmailUnverified = "email_unverified"
	reasonEmailShared     = "email_shared"
)

// subjectError says why a client cannot know a person.
type subjectError struct {
	reason      string
	description string
}

// Error returns the description.
func (e *subjectError) Error() string { return e.description }

// Unwrap returns what the client is told.
func (e *subjectError) Unwrap() error {
	return &oidc.Error{Code: oidc.CodeAccessDenied, Description: e.description}
}

func unknowable(client *registration.Client, reason, what, problem string) error {
	return &subjectError{reason, fmt.Sprintf("client %s knows people by their %s, and %s", client.ClientID, what, problem)}
}

// subjectOf returns the "sub" by which a client knows a person (OpenID Connect Core sections 5.1 and 8). The error is a
// *subjectError, to clients an *oidc.Error of access_denied, when the client cannot know this person, any other when it
// cannot know anybody.
//
// No two people have one "sub", or one could log in as the other (OpenID Connect Core section 2: locally unique). The
// registry sees to that for subjects and for usernames, of which no two differ in case only. What an expression makes is up to
// whoever writes it.
func (p *Provider) subjectOf(client *registration.Client, user *registration.User) (string, error) {
	switch client.SubjectMode {
	case registration.SubjectPairwise:
		salt := p.registry.Settings().PairwiseSalt
		if salt == "" {
			return "", fmt.Errorf("make pairwise subject for client %s: the settings have no pairwise_salt", client.ClientID)
		}
		return oidc.PairwiseSubject(salt, client.Sector(), user.Subject), nil
	case registration.SubjectUsername:
		return readableSubject(client, "username", user.Username)
	case registration.SubjectEmail:
		return p.emailSubject(client, user)
	case registration.SubjectUserUUID:
		return oidc.SubjectUUID(p.issuer, user.Subject), nil
	case registration.SubjectExpression:
		var subject string
		var err error
		p.evaluations.do(client, func() {
			subject, err = client.EvaluateSubject(client.ExpressionInput(user.ForExpressions(), time.Time{}))
		})
		if err != nil {
			p.expressions.note(client, useSubject, "", err)
			subject = ""
		}
		return readableSubject(client, "result of an expression", subject)
	default:
		return user.Subject, nil
	}
}

// sidOf returns the "sid" by which a client knows a session. Clients with pairwise subjects know it by another in each sector.
func (p *Provider) sidOf(client *registration.Client, sessionID string) string {
	raw, ok := store.IDBytes(sessionID)
	if client.SubjectMode != registration.SubjectPairwise || !ok {
		return sessionID
	}
	return oidc.PairwiseSession(p.registry.Settings().PairwiseSalt, client.Sector(), raw)
}

// sessionOf returns the session that a client knows by a sid.
func (p *Provider) sessionOf(client *registration.Client, sid string) string {
	if client.SubjectMode != registration.SubjectPairwise {
		return sid
	}
	raw, ok := oidc.SessionOfPairwise(p.registry.Settings().PairwiseSalt, client.Sector(), sid)
	if !ok {
		return sid // of a client that had another subject mode before
	}
	return store.IDOf(raw)
}

// subjectForOthers returns the "sub" that is told to others than the client: to APIs that its access tokens are for. Whoever
// registers a client writes the expression of its subjects, and must not be able to make APIs take a person for somebody
// else (RFC 9700 section 4.15, RFC 9068 section 5): they are told the subject of the directory instead.
func (p *Provider) subjectForOthers(client *registration.Client, user *registration.User) (string, error) {
	if client.SubjectMode == registration.SubjectExpression {
		return user.Subject, nil
	}
	return p.subjectOf(client, user)
}

// maxSubject is the length of the longest "sub" in characters, which are ASCII (OpenID Connect Core section 2).
const maxSubject = 255

// readableSubject returns the name of a person as "sub" when there is one and it can be that.
func readableSubject(client *registration.Client, what, name string) (string, error) {
	problem := ""
	switch odd := func(c rune) bool { return c <= ' ' || c > '~' }; {
	case name == "":
		problem = "this person has none"
	case len(name) > maxSubject || strings.ContainsFunc(name, odd):
		problem = "that of this person is too long or not of ASCII characters"
	default:
		return name, nil
	}
	return "", unknowable(client, reasonSubject, what, problem)
}

const emailAddress = "e-mail address"

// emailSubject returns a person's e-mail address as "sub". Everybody could claim that of somebody else who is known by it
// already, so that it has to be theirs, and theirs alone.
func (p *Provider) emailSubject(client *registration.Client, user *registration.User) (string, error) {
	switch subject, err := readableSubject(client, emailAddress, user.Email); {
	case err != nil:
		return "", err
	case !user.EmailVerified:
		return "", unknowable(client, reasonEmailUnverified, emailAddress, "that of this person is not verified")
	case !p.registry.EmailIsUnique(user.Email):
		return "", unknowable(client, reasonEmailShared, emailAddress, "somebody else has that of this person, too")
	default:
		return subject, nil
	}
}
