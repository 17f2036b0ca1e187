package main

import (
	"net"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of how many connections there may be at a time. Those beyond maxConnections wait until others end: each may hold some ten
// kilobytes for as long as readTimeout. Without a bound for each address a single one could hold them all.
const (
	maxConnections      = 4096
	maxAdminConnections = 64
	// perAddress is the default bound of one address, behind which an office may be. A reverse proxy that the provider knows may
	// have three quarters of all; one that it does not know, in a network where proxies are, a quarter.
	perAddress      = 256
	perProxy        = 3 * maxConnections / 4
	perUnknownProxy = maxConnections / 4
)

// addressLimit closes connections of addresses that have too many.
type addressLimit struct {
	net.Listener
	bound   func(netip.Addr) int
	refused prometheus.Counter

	mu   sync.Mutex
	open map[netip.Prefix]int
}

// limitAddresses bounds how many connections each address has open. A limit of 0 bounds nothing.
func limitAddresses(l net.Listener, limit int, known proxies, metrics prometheus.Registerer) (*addressLimit, error) {
	limited := &addressLimit{Listener: l, open: map[netip.Prefix]int{}, refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "oidc_provider_connections_refused_total", Help: "Connections that were closed at once, because their address has too many.",
	})}
	limited.bound = func(address netip.Addr) int {
		switch {
		case limit == 0:
			return 0
		case contains(known.trusted, address):
			return max(limit, perProxy)
		case contains(known.unknown, address):
			return max(limit, perUnknownProxy)
		default:
			return limit
		}
	}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "oidc_provider_connections", Help: "Connections that are open.",
	}, func() float64 { return float64(limited.count()) })
	for _, c := range []prometheus.Collector{limited.refused, open} {
		if err := metrics.Register(c); err != nil {
			return nil, err
		}
	}
	return limited, nil
}

func contains(networks []netip.Prefix, address netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// Accept implements net.Listener.
func (l *addressLimit) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := netip.ParseAddrPort(connection.RemoteAddr().String())
		if err != nil {
			return connection, nil //nolint:nilerr // of no address that could be counted, such as that of a Unix socket
		}
		address := peer.Addr().Unmap().WithZone("")
		key := networkOf(address)
		if !l.take(key, l.bound(address)) {
			l.refused.Inc()
			_ = connection.Close()
			continue
		}
		return &countedConnection{Conn: connection, release: sync.OnceFunc(func() { l.release(key) })}, nil
	}
}

// networkOf returns what one holder of an address has: of IPv6 everybody has at least a /64.
func networkOf(address netip.Addr) netip.Prefix {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}

func (l *addressLimit) take(key netip.Prefix, bound int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bound > 0 && l.open[key] >= bound {
		return false
	}
	l.open[key]++
	return true
}

func (l *addressLimit) release(key netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key]--; l.open[key] == 0 {
		delete(l.open, key)
	}
}

func (l *addressLimit) count() (all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, open := range l.open {
		all += open
	}
	return all
}

// countedConnection counts until it is closed.
type countedConnection struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *countedConnection) Close() error {
	defer c.release()
	return c.Conn.Close()
}
