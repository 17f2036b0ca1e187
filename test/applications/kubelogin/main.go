// Kubelogin stands in for the plugin of that name (kubectl oidc-login), which no Go module proxy has: it understands as much of the
// documented command line as a kubeconfig of the preset holds, refuses anything else, and speaks kubectl's protocol for such
// plugins (client.authentication.k8s.io/v1). It opens no browser: like the plugin with --skip-open-browser it says what to open.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// patience is how long people may take to log in.
const patience = 2 * time.Minute

// options are the flags of get-token.
type options struct {
	issuer, clientID, clientSecret, grantType, listen, authority, cacheDir string
	scopes                                                                 list
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubelogin:", err)
		os.Exit(1) //nolint:gocritic // exitAfterDefer: the process ends
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "get-token" {
		return errors.New("the only command is get-token")
	}
	var o options
	flags := flag.NewFlagSet("get-token", flag.ContinueOnError)
	flags.StringVar(&o.issuer, "oidc-issuer-url", "", "")
	flags.StringVar(&o.clientID, "oidc-client-id", "", "")
	flags.StringVar(&o.clientSecret, "oidc-client-secret", "", "")
	flags.Var(&o.scopes, "oidc-extra-scope", "")
	flags.StringVar(&o.grantType, "grant-type", "auto", "")
	flags.StringVar(&o.listen, "listen-address", "127.0.0.1:8000", "")
	flags.StringVar(&o.authority, "certificate-authority-data", "", "")
	flags.StringVar(&o.cacheDir, "token-cache-dir", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	token, err := o.cached()
	if err != nil {
		if token, err = o.logIn(ctx); err != nil {
			return err
		}
		if err := os.WriteFile(o.cacheFile(), []byte(token), 0o600); err != nil {
			return fmt.Errorf("keep the token: %w", err)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": map[string]string{"token": token},
	})
}

func (o *options) cacheFile() string {
	sum := sha256.Sum256([]byte(o.issuer + " " + o.clientID))
	return filepath.Join(o.cacheDir, hex.EncodeToString(sum[:]))
}

// cached returns the ID token of an earlier run. The test is shorter than the life of one.
func (o *options) cached() (string, error) {
	token, err := os.ReadFile(o.cacheFile())
	return string(token), err
}

func (o *options) logIn(ctx context.Context) (string, error) {
	if o.authority != "" {
		pem, err := base64.StdEncoding.DecodeString(o.authority)
		if err != nil {
			return "", fmt.Errorf("--certificate-authority-data: %w", err)
		}
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(pem)
		ctx = oidc.ClientContext(ctx, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}})
	}
	provider, err := oidc.NewProvider(ctx, o.issuer)
	if err != nil {
		return "", err
	}
	config := &oauth2.Config{ClientID: o.clientID, ClientSecret: o.clientSecret, Endpoint: provider.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID}, o.scopes...)}
	var token *oauth2.Token
	if o.grantType == "device-code" {
		token, err = device(ctx, config)
	} else {
		token, err = o.browser(ctx, config)
	}
	if err != nil {
		return "", err
	}
	raw, _ := token.Extra("id_token").(string)
	_, err = provider.Verifier(&oidc.Config{ClientID: o.clientID}).Verify(ctx, raw)
	return raw, err
}

// device is the flow of RFC 8628.
func device(ctx context.Context, config *oauth2.Config) (*oauth2.Token, error) {
	answer, err := config.DeviceAuth(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "Please visit the following URL in your browser: %s\n", answer.VerificationURIComplete)
	return config.DeviceAccessToken(ctx, answer)
}

// browser receives the answer on a loopback port (RFC 8252 section 7.3), with PKCE.
func (o *options) browser(ctx context.Context, config *oauth2.Config) (*oauth2.Token, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	config.RedirectURL = "http://localhost:" + port
	state, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	codes := make(chan string, 1)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Get("state") == state && query.Has("code") {
			_, _ = fmt.Fprint(w, "<!doctype html><title>Logged in</title><link rel=icon href='data:,'><h1>Logged in</h1>")
			codes <- query.Get("code")
			return
		}
		http.Error(w, r.URL.Query().Get("error"), http.StatusBadRequest)
	})}
	go func() { _ = server.Serve(listener) }()                         // ends with the process
	defer func() { _ = server.Shutdown(context.WithoutCancel(ctx)) }() // what the browser is told gets there
	fmt.Fprintf(os.Stderr, "Please visit the following URL in your browser: %s\n", config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)))
	select {
	case code := <-codes:
		return config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
