package provider

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

const (
	// deviceLifetime is the time for a person to find the page, log in and read what is asked.
	deviceLifetime = 10 * time.Minute
	// deviceInterval is how long a device must wait between two polls, and how much longer each time it did not (RFC 8628
	// sections 3.2 and 3.5).
	deviceInterval = 5 * time.Second
)

// deviceAnswer is the JSON of RFC 8628 section 3.2.
type deviceAnswer struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	// ExpiresIn and Interval are in seconds.
	ExpiresIn int64 `json:"expires_in"`
	Interval  int64 `json:"interval"`
}

// serveDeviceAuthorization gives a device two codes: one to poll with, and one for a person to type elsewhere (RFC 8628
// section 3.1).
func (p *Provider) serveDeviceAuthorization(w http.ResponseWriter, r *http.Request) error {
	params, err := readForm(w, r)
	if err != nil {
		return err
	}
	if name := params.Repeated(append([]string{"scope"}, clientParameters...)...); name != "" {
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	client, err := p.authenticateClient(r, params)
	if err != nil {
		return err
	}
	request, err := readDeviceRequest(client, params)
	if err != nil {
		return err
	}
	if client.Public() {
		if !p.mayKeep(r.Context(), client.ClientID, len(params.Encode())) {
			return errQuota
		}
		request.Network = wideNetwork(infoOf(r.Context()).address)
	}
	if err := p.waiting.makeRoom(r.Context(), client.ClientID, request.Network, request.Size()); err != nil {
		return err
	}
	now := p.now()
	deviceCode := store.NewValue(now)
	request.Handle, request.Interval, request.ExpiresAt = store.HandleOf(deviceCode), deviceInterval, now.Add(deviceLifetime)
	if err := p.createDeviceRequest(r.Context(), request); err != nil {
		return err
	}
	page := oidc.Endpoint(p.issuer, pathDevice)
	shown := oidc.ShowUserCode(request.UserCode)
	p.respondJSON(w, http.StatusOK, deviceAnswer{
		DeviceCode: deviceCode, UserCode: shown, VerificationURI: page, VerificationURIComplete: page + "?" + fieldUserCode + "=" + shown,
		ExpiresIn: seconds(deviceLifetime), Interval: seconds(deviceInterval),
	})
	return nil
}

// readDeviceRequest reads what a device asks for. Without a scope that the client is registered for there is nothing to ask a
// person.
func readDeviceRequest(client *registration.Client, params oidc.Parameters) (*store.DeviceRequest, error) {
	if !client.MayUse(registration.GrantDeviceCode) {
		return nil, &oidc.Error{Code: oidc.CodeUnauthorizedClient, Description: "this client is not registered for grant_type " + registration.GrantDeviceCode}
	}
	if id := params.Get("client_id"); id != "" && id != client.ClientID {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "client_id is not that of the client that authenticates"}
	}
	scopes := oidc.GrantedScopes(strings.Fields(params.Get("scope")), client.Scopes())
	if len(scopes) == 0 {
		return nil, &oidc.Error{Code: oidc.CodeInvalidScope, Description: "scope must hold one that this client is registered for, such as openid"}
	}
	resources, err := oidc.ReadResources(params)
	if err != nil {
		return nil, err
	}
	for _, resource := range resources {
		if !slices.Contains(client.Resources, resource) {
			return nil, &oidc.Error{Code: oidc.CodeInvalidTarget, Description: "resource is not one that this client is registered for"}
		}
	}
	return &store.DeviceRequest{Client: storedAs(client), Scopes: scopes, Resources: resources}, nil
}

// createDeviceRequest stores a request under a user code that no other one has.
func (p *Provider) createDeviceRequest(ctx context.Context, request *store.DeviceRequest) error {
	const tries = 8 // with a million waiting devices, one try in 25,000 hits a code that is taken
	for range tries {
		request.UserCode = oidc.NewUserCode()
		err := p.store.CreateDeviceRequest(ctx, *request)
		if err == nil {
			return nil
		}
		if !errors.Is(err, store.ErrReplayed) {
			return p.notStored(ctx, "create device request", err)
		}
	}
	return errors.New("create device request: there is no free user code")
}
