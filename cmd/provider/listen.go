package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of what one connection may take. Passwords wait for their turn for a few seconds when many people log in.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 20 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	// stopTimeout is how long requests that are under way may take at the end. Kubernetes allows 30 seconds in all.
	stopTimeout = 20 * time.Second
)

// The admin port answers probes and scrapes: short requests without a body.
const (
	adminReadTimeout  = 5 * time.Second
	adminWriteTimeout = 40 * time.Second // /startupz waits
)

// listener is a port and what serves it.
type listener struct {
	net.Listener
	server *http.Server
	// certificate is nil without TLS.
	certificate *certificate
}

// listenAdmin opens the admin port. Nothing that others do on it may keep a probe from being answered, because the kubelet kills a
// provider that does not answer: connections end with the answer, and of too many the longest idle goes.
func listenAdmin(address string, handler http.Handler, logger *slog.Logger) (*listener, error) {
	opened, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open the port of --admin-listen: %w", err)
	}
	bounded := newConnections(opened, maxAdminConnections, nil)
	server := newServer(handler, logger)
	server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout = adminReadTimeout, adminReadTimeout, adminWriteTimeout
	server.MaxHeaderBytes = 8 << 10
	server.ConnState = bounded.changed
	server.SetKeepAlivesEnabled(false)
	return &listener{Listener: bounded, server: server}, nil
}

// listenPublic opens the port of the issuer.
func listenPublic(o *serveOptions, known proxies, handler http.Handler, metrics prometheus.Registerer, logger *slog.Logger) (*listener, error) {
	l := &listener{server: newServer(handler, logger)}
	address := o.listen
	if o.tlsCert != "" {
		certificate, err := loadCertificate(o.tlsCert, o.tlsKey, logger)
		if err != nil {
			return nil, err
		}
		l.certificate = certificate
		l.server.TLSConfig = tlsConfig(certificate)
	}
	if address == "" {
		address = defaultAddress(o)
	}
	opened, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open the port of --listen: %w", err)
	}
	limited, err := limitPublic(opened, o.perAddress, known, metrics)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	l.Listener, l.server.ConnState = limited, limited.changed
	return l, nil
}

// tlsConfig speaks TLS 1.3, and 1.2 with the suites that RFC 9325 section 4.2 and the FAPI 2.0 Security Profile (section 5.2.2) allow:
// with forward secrecy and AES-GCM.
func tlsConfig(c *certificate) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
		GetCertificate: c.get,
	}
}

// defaultAddress is on every interface where the issuer is https or a Service leads here. A directory of registrations and
// an http issuer, which is on a loopback host, mean one machine: nothing goes out in the clear then.
func defaultAddress(o *serveOptions) string {
	switch {
	case o.tlsCert != "":
		return ":8443"
	case o.registrations != "" && strings.HasPrefix(o.issuer, "http://"):
		return "localhost:8080"
	default:
		return ":8080"
	}
}

func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// What net/http logs are strangers' broken connections and handshakes.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// serve serves until the listener is stopped.
func (l *listener) serve() error {
	serve := func() error { return l.server.Serve(l) }
	if l.certificate != nil {
		serve = func() error { return l.server.ServeTLS(l, "", "") }
	}
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// watchCertificate reads the certificate again whenever it changes, until ctx ends.
func (l *listener) watchCertificate(ctx context.Context) error {
	if l.certificate == nil {
		return nil
	}
	return l.certificate.watch(ctx)
}

// stop answers what is under way and closes the port. What has not ended after stopTimeout is cut off: whoever sends that slowly must
// not make an orderly stop look like a failure.
func (l *listener) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := l.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.server.Close()
	}
	return err
}
