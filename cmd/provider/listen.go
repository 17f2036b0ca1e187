package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
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

// listeners are the two ports of a provider.
type listeners struct {
	public, admin             net.Listener
	publicServer, adminServer *http.Server
	certificate               *certificate
}

// listen opens both ports, so that an address in use is told before anything is started.
func listen(o *serveOptions, public, admin http.Handler, logger *slog.Logger) (*listeners, error) {
	l := &listeners{publicServer: newServer(public, logger), adminServer: newServer(admin, logger)}
	address := o.listen
	if o.tlsCert != "" {
		certificate, err := loadCertificate(o.tlsCert, o.tlsKey, logger)
		if err != nil {
			return nil, err
		}
		l.certificate = certificate
		l.publicServer.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
	}
	if address == "" {
		address = ":8080"
		if l.certificate != nil {
			address = ":8443"
		}
	}
	var err error
	if l.public, err = net.Listen("tcp", address); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if l.admin, err = net.Listen("tcp", o.adminListen); err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), l.public.Close())
	}
	return l, nil
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

func (l *listeners) serve(group *errgroup.Group) {
	group.Go(func() error {
		if l.certificate != nil {
			return served(l.publicServer.ServeTLS(l.public, "", ""))
		}
		return served(l.publicServer.Serve(l.public))
	})
	group.Go(func() error { return served(l.adminServer.Serve(l.admin)) })
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// watchCertificate reads the certificate again whenever it changes, until ctx ends.
func (l *listeners) watchCertificate(ctx context.Context) error {
	if l.certificate == nil {
		return nil
	}
	return l.certificate.watch(ctx)
}

// stop answers what is under way and closes both ports, the admin port last so that probes see the end coming.
func (l *listeners) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := l.publicServer.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop serving: %w", err), l.publicServer.Close(), l.adminServer.Close())
	}
	return l.adminServer.Close()
}
