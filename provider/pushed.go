package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// requestURIPrefix begins the request_uri of every request that is kept here (RFC 9126 section 2.2).
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

const (
	// pushedLifetime is for how long a client may begin with a request that it has pushed (RFC 9126 section 2.2): less than 600 seconds
	// (FAPI 2.0 Security Profile section 5.3.2.2).
	pushedLifetime = 5 * time.Minute
	// storedLifetime is for how long a request is kept: the time that a person may take to log in and to agree.
	storedLifetime = time.Hour
	// longQuery is from how many bytes on a request that a browser posts is kept rather than repeated in a URL: proxies in
	// between pass about four kilobytes of headers.
	longQuery = 2 << 10
)

// pushedAnswer is the JSON of RFC 9126 section 2.2.
type pushedAnswer struct {
	RequestURI string `json:"request_uri"`
	// ExpiresIn is in seconds.
	ExpiresIn int64 `json:"expires_in"`
}

// servePushedRequest takes an authorization request from the client itself, before it sends the browser (RFC 9126). It is
// checked now as it would be in the browser, so that the client learns of its mistakes here.
func (p *Provider) servePushedRequest(w http.ResponseWriter, r *http.Request) error {
	params, err := readForm(w, r)
	if err != nil {
		return err
	}
	if name := params.Repeated(slices.Concat(clientParameters, []string{"redirect_uri"})...); name != "" {
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	client, err := p.authenticateClient(r, params)
	if err != nil {
		return err
	}
	if params.Get("request_uri") != "" {
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "request_uri must not be pushed (RFC 9126 section 2.1)"}
	}
	if id := params.Get("client_id"); id != "" && id != client.ClientID {
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "client_id is not that of the client that authenticates"}
	}
	// How the client has proven itself is no part of its request.
	request, err := url.ParseQuery(params.Encode(clientParameters...))
	if err != nil {
		return fmt.Errorf("read parameters again: %w", err)
	}
	request.Set("client_id", client.ClientID)
	if request, err = p.openPushed(r, client, request); err != nil {
		return err
	}
	proof, err := p.bindCode(r, request)
	if err != nil {
		return err
	}
	pushed := oidc.ParametersOf(request)
	if _, err := p.checkAuthorization(pushed, false); err != nil {
		return forPushingClient(err)
	}
	if client.Public() && !p.mayKeep(r.Context(), client.ClientID, len(pushed.Encode())) {
		return errQuota
	}
	if err := p.useProof(r.Context(), proof); err != nil {
		return err
	}
	reference, err := p.keepRequest(r.Context(), client, pushed, "")
	if err != nil {
		return err
	}
	p.respondJSON(w, http.StatusCreated, pushedAnswer{RequestURI: requestURIPrefix + reference, ExpiresIn: seconds(pushedLifetime)})
	return nil
}

// forPushingClient turns what would be a page or a redirect into what the client is answered (RFC 9126 section 2.3).
func forPushingClient(err error) error {
	var redirect *redirectError
	if errors.As(err, &redirect) {
		return redirect.cause
	}
	var page *pageError
	if !errors.As(err, &page) {
		return err
	}
	switch page.text {
	case pageRedirectMissing:
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "redirect_uri is missing"}
	case pageRedirectUnregistered:
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "redirect_uri is not registered for this client; it must match to the letter"}
	default:
		return errClient // it was switched off while it asked
	}
}

// keepLongRequest keeps a request that a browser has posted and that is too long for a URL, and returns the query that
// refers to it. It must be valid, so that nobody fills the storage with anything.
func (p *Provider) keepLongRequest(r *http.Request, params oidc.Parameters) (query string, err error) {
	ctx := r.Context()
	a, err := p.openAuthorization(r, params, false, 0)
	if err != nil {
		return "", err
	}
	if !p.mayKeep(ctx, a.client.ClientID, len(a.params.Encode())) {
		return "", a.fail(errQuota)
	}
	reference, err := p.keepRequest(ctx, a.client, a.params, postedMark)
	if err != nil {
		return "", a.fail(err)
	}
	return (&storedRequest{reference: reference}).query(a.client.ClientID), nil
}

// postedMark ends the reference of a request that came from a browser. It is part of what is hashed, so that no such request can be
// passed off as one that a client has pushed.
const postedMark = "~"

func (p *Provider) keepRequest(ctx context.Context, client *registration.Client, params oidc.Parameters, mark string) (reference string, err error) {
	now := p.now()
	reference = store.NewValue(now) + mark
	request := store.PushedRequest{
		Handle: store.HandleOf(reference), Client: storedAs(client), Parameters: worthKeeping(params), ExpiresAt: now.Add(storedLifetime),
	}
	if mark == postedMark || client.Public() {
		request.Network = wideNetwork(infoOf(ctx).address)
	}
	if err := p.waiting.makeRoom(ctx, client.ClientID, request.Network, request.Size()); err != nil {
		return "", err
	}
	if err := p.store.CreatePushedRequest(ctx, request); err != nil {
		return "", p.notStored(ctx, "keep authorization request", err)
	}
	return reference, nil
}

// worthKeeping returns what of a request has a meaning here.
func worthKeeping(params oidc.Parameters) string {
	names := oidc.AuthorizationParameters()
	if len(params.Get("login_hint")) > oidc.MaxLoginHint {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "login_hint" })
	}
	return params.EncodeOnly(names...)
}

// storedRequest is an authorization request that is kept here. All methods work on nil: a request that is not.
type storedRequest struct {
	reference string
	params    oidc.Parameters
	expiresAt time.Time
}

// errStoredRequest is told to a person whose request is gone; where they could be sent back to is gone with it.
var errStoredRequest = &pageError{status: http.StatusBadRequest, text: "request_gone"}

func (p *Provider) storedRequest(ctx context.Context, clientID, reference string) (*storedRequest, error) {
	kept, err := p.store.PushedRequest(ctx, store.HandleOf(reference))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errStoredRequest
	case err != nil:
		return nil, fmt.Errorf("read authorization request: %w", err)
	case kept.Client.ID != clientID || p.reregistered(kept.Client) || !p.now().Before(kept.ExpiresAt):
		return nil, errStoredRequest
	}
	params, _ := oidc.ReadParameters(kept.Parameters) // this provider has written it
	return &storedRequest{reference: reference, params: params, expiresAt: kept.ExpiresAt}, nil
}

// query returns the query that refers to the request.
func (s *storedRequest) query(clientID string) string {
	return url.Values{"client_id": {clientID}, "request_uri": {requestURIPrefix + s.reference}}.Encode()
}

// wasPushed tells whether a client that has proven itself has sent the request.
func (s *storedRequest) wasPushed() bool {
	return s != nil && !strings.HasSuffix(s.reference, postedMark)
}

// stale tells whether it is too late to begin with the request.
func (s *storedRequest) stale(now time.Time) bool {
	return s.wasPushed() && now.After(s.expiresAt.Add(pushedLifetime-storedLifetime))
}

// useUp sees to it that a pushed request leads to one code and no more (RFC 9126 section 7.3). Until then it may be loaded
// anew, as people do with pages.
func (p *Provider) useUp(ctx context.Context, s *storedRequest) error {
	if !s.wasPushed() {
		return nil
	}
	err := p.store.UseOnce(ctx, store.HandleOf("used "+s.reference), p.now(), s.expiresAt)
	switch {
	case errors.Is(err, store.ErrReplayed):
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "request_uri was used before"}
	case err != nil:
		return fmt.Errorf("use up authorization request: %w", err)
	}
	if err := p.store.DeletePushedRequest(ctx, store.HandleOf(s.reference)); err != nil {
		return fmt.Errorf("delete authorization request: %w", err)
	}
	return nil
}
