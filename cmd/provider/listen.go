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
	"golang.org/x/net/netutil"
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
func listen(o *serveOptions, known proxies, public, admin http.Handler, metrics prometheus.Registerer, logger *slog.Logger) (*listeners, error) {
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
		address = defaultAddress(o)
	}
	var err error
	if l.public, err = net.Listen("tcp", address); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if l.admin, err = net.Listen("tcp", o.adminListen); err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), l.public.Close())
	}
	l.admin = netutil.LimitListener(l.admin, maxAdminConnections)
	limited, err := limitAddresses(netutil.LimitListener(l.public, maxConnections), o.perAddress, known, metrics)
	if err != nil {
		return nil, errors.Join(err, l.public.Close(), l.admin.Close())
	}
	l.public = limited
	return l, nil
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

// stop answers what is under way and closes both ports, the admin port last so that probes see the end coming. What has
// not ended after stopTimeout is cut off: whoever sends that slowly must not make an orderly stop look like a failure.
func (l *listeners) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := l.publicServer.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.publicServer.Close()
	}
	return errors.Join(err, l.adminServer.Close())
}
