package conformance_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// openidClient is the relying party of openid-client/.
type openidClient struct {
	t     *testing.T
	party *party
	in    io.Writer
	out   *bufio.Scanner
}

// wish is what it asks of the person's browser.
type wish struct {
	// Open is an authorization request, Leave a logout request, Device the page for a user code.
	Open, Leave, Device, UserCode string
}

// A relying party of other people, certified by the OpenID Foundation itself, understands the provider.
func TestOpenIDClient(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join("openid-client", "node_modules", "openid-client")); err != nil {
		t.Fatal("openid-client is not installed; hack/openid-client.sh does that")
	}
	for scenario, clientID := range map[string]string{
		"code, refresh, introspection, revocation, end session": "node",
		"form_post":                            "node",
		"max_age and an error":                 "node",
		"PAR":                                  "pushing",
		"DPoP":                                 "bound",
		"private_key_jwt":                      "signer",
		"client_credentials, JWT access token": "service",
		"code, JWT access token":               "resources",
		"device":                               "television",
		"signed userinfo, ES256":               "es256",
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, clientID)
			runOpenIDClient(t, p, scenario)
		})
	}
}

func runOpenIDClient(t *testing.T, p *party, scenario string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "relying-party.mjs")
	cmd.Dir = "openid-client"
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+shared.certificate)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start node: %v", err)
	}
	c := &openidClient{t: t, party: p, in: in, out: bufio.NewScanner(out)}
	fault := c.serve(scenario)
	if err := cmd.Wait(); err != nil || fault != nil {
		t.Errorf("the relying party ends with %v, its browser with %v:\n%s", err, fault, complaints.String())
	}
}

// serve says who the relying party is, and does what it wishes until it ends.
func (c *openidClient) serve(scenario string) error {
	app := c.party.app
	config := map[string]any{
		"scenario": scenario, "issuer": shared.issuer, "clientID": app.ClientID, "clientSecret": app.secret, "email": "oidf@example.com", "resource": api,
		"privateKey": jose.JSONWebKey{Key: signerKey(), KeyID: "signer-1", Algorithm: "ES256"},
	}
	if len(app.RedirectURIs) > 0 {
		config["redirectURI"] = app.RedirectURIs[0]
	}
	if len(app.PostLogoutRedirectURIs) > 0 {
		config["postLogoutRedirectURI"] = app.PostLogoutRedirectURIs[0]
	}
	if err := c.say(config); err != nil {
		return err
	}
	for c.out.Scan() {
		var w wish
		if err := json.Unmarshal(c.out.Bytes(), &w); err != nil {
			return fmt.Errorf("read %q: %w", c.out.Text(), err)
		}
		if err := c.say(c.grant(w)); err != nil {
			return err
		}
	}
	return c.out.Err()
}

func (c *openidClient) say(what any) error {
	line, err := json.Marshal(what)
	if err != nil {
		return err
	}
	_, err = c.in.Write(append(line, '\n'))
	return err
}

// grant does what only a person's browser can.
func (c *openidClient) grant(w wish) map[string]string {
	c.t.Helper()
	p := c.party
	switch {
	case w.Device != "":
		p.decide(w.Device, w.UserCode, "allow")
		return map[string]string{}
	case w.Leave != "":
		page := p.browser.Get(w.Leave)
		return map[string]string{"callback": page.Callback.String()}
	}
	page := p.browser.Get(w.Open)
	for page.Callback == nil && (page.Asks("password") || page.Asks("decision")) {
		fields := url.Values{"username": {username}, "password": {password}}
		if page.Asks("decision") {
			fields = url.Values{"decision": {"allow"}}
		}
		page = p.browser.Submit(page, fields)
	}
	if page.Callback == nil {
		c.t.Errorf("the browser stays at %s with status %d:\n%s", page.URL, page.Status, page.Body)
		return map[string]string{"callback": p.app.RedirectURIs[0]}
	}
	return map[string]string{"callback": page.Callback.String(), "posted": page.Posted.Encode()}
}

// The relying party is pinned to the versions that its lock file names.
func TestOpenIDClientIsPinned(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("openid-client", "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Dependencies map[string]string }
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	for name, version := range manifest.Dependencies {
		if strings.ContainsFunc(version, func(r rune) bool { return !slices.Contains([]rune("0123456789."), r) }) {
			t.Errorf("%s is %s, which is no version", name, version)
		}
	}
}
