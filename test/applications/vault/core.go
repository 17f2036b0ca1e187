package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	jwtauth "github.com/hashicorp/vault-plugin-auth-jwt"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// mount is an auth method that is enabled.
type mount struct {
	backend    logical.Backend
	storage    logical.Storage
	methodType string
	accessor   string
	visibility string
}

// core does for the plugin what Vault's core does: it mounts it, takes HTTP and hands requests on.
type core struct {
	token string

	mu     sync.Mutex
	mounts map[string]*mount // by path, without a slash at its end
}

func newCore(token string) *core { return &core{token: token, mounts: map[string]*mount{}} }

func (c *core) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path, isAPI := strings.CutPrefix(r.URL.Path, "/v1/")
	writes := r.Method == http.MethodPost || r.Method == http.MethodPut
	switch {
	case !isAPI:
		// Where Vault's UI is. It would go on with a request of its own to the API.
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Vault</title><h1>Vault</h1>\n"))
	case path == "sys/auth" && r.Method == http.MethodGet:
		c.authorized(w, r, c.serveList)
	case strings.HasPrefix(path, "sys/auth/") && writes:
		c.authorized(w, r, c.serveEnable)
	case strings.HasPrefix(path, "sys/mounts/auth/") && strings.HasSuffix(path, "/tune") && writes:
		c.authorized(w, r, c.serveTune)
	case strings.HasPrefix(path, "auth/"):
		c.serveMount(w, r, strings.TrimPrefix(path, "auth/"))
	default:
		fail(w, http.StatusNotFound, errors.New("no such path here"))
	}
}

func (c *core) isAuthorized(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Vault-Token")), []byte(c.token)) == 1
}

func (c *core) authorized(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if !c.isAuthorized(r) {
		fail(w, http.StatusForbidden, logical.ErrPermissionDenied)
		return
	}
	next(w, r)
}

func (c *core) serveList(w http.ResponseWriter, _ *http.Request) {
	listed := map[string]any{"token/": map[string]any{"type": "token", "accessor": "auth_token_0"}}
	for path, m := range c.mounts {
		listed[path+"/"] = map[string]any{
			"type": m.methodType, "accessor": m.accessor, "config": map[string]any{"listing_visibility": m.visibility},
		}
	}
	answer(w, map[string]any{"data": listed})
}

func (c *core) serveEnable(w http.ResponseWriter, r *http.Request) {
	var body struct{ Type string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/sys/auth/")
	if c.mounts[path] != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("path is already in use at %s/", path))
		return
	}
	if body.Type != "oidc" && body.Type != "jwt" { // one plugin with two names
		fail(w, http.StatusBadRequest, fmt.Errorf("no such auth method here: %q", body.Type))
		return
	}
	m := &mount{storage: &logical.InmemStorage{}, methodType: body.Type, accessor: fmt.Sprintf("auth_%s_%d", body.Type, len(c.mounts)+1)}
	config := logical.TestBackendConfig()
	config.StorageView, config.Logger = m.storage, hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn})
	backend, err := jwtauth.Factory(context.Background(), config) // it outlives the request
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	m.backend = backend
	c.mounts[path] = m
	w.WriteHeader(http.StatusNoContent)
}

func (c *core) serveTune(w http.ResponseWriter, r *http.Request) {
	m := c.mounts[strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/v1/sys/mounts/auth/"), "/tune")]
	if m == nil {
		fail(w, http.StatusBadRequest, errors.New("no auth method is mounted there"))
		return
	}
	var body struct {
		Visibility string `json:"listing_visibility"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if !slices.Contains([]string{"unauth", "hidden"}, body.Visibility) {
		fail(w, http.StatusBadRequest, fmt.Errorf("invalid listing_visibility %q", body.Visibility))
		return
	}
	m.visibility = body.Visibility
	w.WriteHeader(http.StatusNoContent)
}

// serveMount hands a request on to the plugin that is mounted there. path starts with that of the mount.
func (c *core) serveMount(w http.ResponseWriter, r *http.Request, path string) {
	for at, m := range c.mounts {
		inside, found := strings.CutPrefix(path, at+"/")
		if !found {
			continue
		}
		if !slices.Contains(m.backend.SpecialPaths().Unauthenticated, inside) && !c.isAuthorized(r) {
			fail(w, http.StatusForbidden, logical.ErrPermissionDenied)
			return
		}
		request, err := m.request(r, inside)
		if err != nil {
			fail(w, http.StatusBadRequest, err)
			return
		}
		response, err := m.backend.HandleRequest(r.Context(), request)
		if status, err := logical.RespondErrorCommon(request, response, err); status != 0 || err != nil {
			fail(w, status, err)
			return
		}
		respond(w, response)
		return
	}
	fail(w, http.StatusNotFound, errors.New("no auth method is mounted there"))
}

// request is what the plugin gets: Vault tells it whether a write makes something new.
func (m *mount) request(r *http.Request, path string) (*logical.Request, error) {
	request := &logical.Request{
		Operation: logical.ReadOperation, Path: path, Storage: m.storage, MountPoint: "auth/", MountType: m.methodType,
		MountAccessor: m.accessor, Data: map[string]any{}, Connection: &logical.Connection{RemoteAddr: r.RemoteAddr},
	}
	if r.Method == http.MethodGet {
		for name, values := range r.URL.Query() {
			request.Data[name] = values[0]
		}
		return request, nil
	}
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&request.Data); err != nil {
		return nil, err
	}
	if err := m.knows(path, request.Data); err != nil {
		return nil, err
	}
	request.Operation = logical.UpdateOperation
	checked, exists, err := m.backend.HandleExistenceCheck(r.Context(), request)
	if checked && !exists {
		request.Operation = logical.CreateOperation
	}
	return request, err
}

// knows refuses what the plugin has no field for: it would ignore that, often without a warning.
func (m *mount) knows(path string, data map[string]any) error {
	router, ok := m.backend.(interface {
		Route(path string) *framework.Path
	})
	if !ok {
		return errors.New("the plugin does not tell its paths")
	}
	route := router.Route(path)
	if route == nil {
		return fmt.Errorf("the plugin has no path %s", path)
	}
	for name := range data {
		if route.Fields[name] == nil {
			return fmt.Errorf("the plugin has no field %s at %s", name, path)
		}
	}
	return nil
}

// identity is what Vault's core would make a token, an entity and memberships of. In Vault's own answer the aliases are left out.
type identity struct {
	ClientToken   string            `json:"client_token"`
	Policies      []string          `json:"policies"`
	Metadata      map[string]string `json:"metadata"`
	LeaseDuration int               `json:"lease_duration"`
	Alias         string            `json:"alias"`
	GroupAliases  []string          `json:"group_aliases"`
}

func respond(w http.ResponseWriter, response *logical.Response) {
	if response == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body := map[string]any{"data": response.Data, "warnings": response.Warnings}
	if auth := response.Auth; auth != nil {
		person := identity{
			ClientToken: "of-no-use", Policies: auth.Policies, Metadata: auth.Metadata, Alias: auth.Alias.GetName(),
			LeaseDuration: int(auth.TTL.Seconds()), GroupAliases: []string{},
		}
		for _, group := range auth.GroupAliases {
			person.GroupAliases = append(person.GroupAliases, group.GetName())
		}
		body["auth"] = person
	}
	answer(w, body)
}

func fail(w http.ResponseWriter, status int, err error) {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{err.Error()}}) // whoever asked has gone
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // whoever asked has gone
}
