package main

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of how many connections there may be at a time: each may hold some ten kilobytes for as long as readTimeout.
const (
	maxConnections      = 4096
	maxAdminConnections = 64
	// perAddress is the default bound of one address, behind which an office may be. A reverse proxy that the provider knows may
	// have three quarters of all; one that it does not know, in a network where proxies are, a quarter.
	perAddress      = 256
	perProxy        = 3 * maxConnections / 4
	perUnknownProxy = maxConnections / 4
	// perSite is how many times the bound of an IPv6 /64 a /48 has: that is what one customer of a provider gets, with 65,536 of them.
	perSite = 2
)

// connections is a listener that bounds how many connections there are, in all and of each network, and lets newcomers in nevertheless:
// the longest idle connection goes first. Idle is one that has sent no complete request since it was opened or answered last, so that
// holding many of them keeps nobody out.
type connections struct {
	net.Listener
	max int
	// bound is how many connections the network of an address may have; 0 means any number. Nil means that networks do not count.
	bound           func(netip.Addr) int
	refused, closed prometheus.Counter

	mu       sync.Mutex
	open     int
	idle     *list.List // of *connection, the longest idle first
	networks map[netip.Prefix]*network
}

// network is who has connections together.
type network struct {
	prefix netip.Prefix
	bound  int
	open   map[*connection]struct{}
}

// load is how much of its bound a network has, when it has more connections than now.
func (n *network) load(more int) float64 {
	bound := n.bound
	if bound == 0 {
		bound = maxConnections
	}
	return float64(len(n.open)+more) / float64(bound)
}

// connection counts until it is closed.
type connection struct {
	net.Conn
	listener *connections
	networks []*network
	accepted time.Time
	// idle is its place among the idle ones; nil while a request is answered. What is below is guarded by the listener.
	idle   *list.Element
	since  time.Time // of idle
	closed bool
}

// newConnections bounds the connections of l.
func newConnections(l net.Listener, most int, bound func(netip.Addr) int) *connections {
	return &connections{
		Listener: l, max: most, bound: bound, idle: list.New(), networks: map[netip.Prefix]*network{},
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oidc_provider_connections_refused_total", Help: "Connections that were closed at once, because their network has too many that are all in use.",
		}),
		closed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oidc_provider_connections_evicted_total", Help: "Connections that were closed so that others are let in, the longest idle first.",
		}),
	}
}

// limitPublic bounds the connections of the public port. A limit of 0 bounds no network.
func limitPublic(l net.Listener, limit int, known proxies, metrics prometheus.Registerer) (*connections, error) {
	c := newConnections(l, maxConnections, func(address netip.Addr) int {
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
	})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "oidc_provider_connections", Help: "Connections that are open.",
	}, func() float64 { return float64(c.count()) })
	for _, collector := range []prometheus.Collector{c.refused, c.closed, open} {
		if err := metrics.Register(collector); err != nil {
			return nil, err
		}
	}
	return c, nil
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
func (l *connections) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, victim := l.admit(raw)
		if victim != nil {
			l.closed.Inc()
			_ = victim.Conn.Close() // it is counted out already
		}
		if c != nil {
			return c, nil
		}
		l.refused.Inc()
		_ = raw.Close()
	}
}

// admit counts a connection in, and another one out where there is no room for both. It returns no connection when there is none to be
// closed.
func (l *connections) admit(raw net.Conn) (admitted, victim *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &connection{Conn: raw, listener: l, accepted: time.Now(), networks: l.networksOf(raw)}
	for _, n := range c.networks {
		if n.bound == 0 || len(n.open) < n.bound || victim != nil && victim.in(n) {
			continue
		}
		if victim = n.longestIdle(); victim == nil {
			l.forget(c.networks)
			return nil, nil
		}
	}
	if l.open >= l.max && victim == nil {
		if victim = l.whoGoes(c); victim == nil {
			l.forget(c.networks)
			return nil, nil
		}
	}
	if victim != nil {
		l.remove(victim)
	}
	for _, n := range c.networks {
		l.networks[n.prefix] = n // it may have been forgotten with the victim
		n.open[c] = struct{}{}
	}
	l.open++
	l.setIdle(c)
	return c, victim
}

// networksOf returns, as they are counted, what one holder of an address has: of IPv6 everybody has at least a /64, and often a /48.
func (l *connections) networksOf(raw net.Conn) []*network {
	if l.bound == nil {
		return []*network{l.network(netip.IPv4Unspecified(), 0, 0)}
	}
	peer, err := netip.ParseAddrPort(raw.RemoteAddr().String())
	if err != nil {
		return nil // of no address that could be counted, such as that of a Unix socket
	}
	address := peer.Addr().Unmap().WithZone("")
	bound := l.bound(address)
	if address.Is4() {
		return []*network{l.network(address, 32, bound)}
	}
	return []*network{l.network(address, 64, bound), l.network(address, 48, perSite*bound)}
}

func (l *connections) network(address netip.Addr, bits, bound int) *network {
	prefix := netip.PrefixFrom(address, bits).Masked()
	if n := l.networks[prefix]; n != nil {
		return n
	}
	n := &network{prefix: prefix, bound: bound, open: map[*connection]struct{}{}}
	l.networks[prefix] = n
	return n
}

// whoGoes returns what is closed for c when there are too many in all: the longest idle one. When none is idle it is the oldest one of
// the network that has most of what it may have, unless that is the network of c. Where networks do not count it is the oldest one.
func (l *connections) whoGoes(c *connection) *connection {
	if longest := l.idle.Front(); longest != nil {
		return longest.Value.(*connection) //nolint:forcetypeassert // nothing else is in the list
	}
	var most *network
	for _, n := range l.networks {
		if most == nil || n.load(0) > most.load(0) {
			most = n
		}
	}
	if most == nil {
		return nil
	}
	for _, n := range c.networks {
		if l.bound != nil && n.load(1) >= most.load(0) {
			return nil
		}
	}
	var oldest *connection
	for other := range most.open {
		if oldest == nil || other.accepted.Before(oldest.accepted) {
			oldest = other
		}
	}
	return oldest
}

func (n *network) longestIdle() (longest *connection) {
	for c := range n.open {
		if c.idle != nil && (longest == nil || c.since.Before(longest.since)) {
			longest = c
		}
	}
	return longest
}

func (c *connection) in(n *network) bool {
	_, is := n.open[c]
	return is
}

// remove counts a connection out.
func (l *connections) remove(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	l.open--
	l.setBusy(c)
	for _, n := range c.networks {
		delete(n.open, c)
	}
	l.forget(c.networks)
}

func (l *connections) forget(networks []*network) {
	for _, n := range networks {
		if len(n.open) == 0 {
			delete(l.networks, n.prefix)
		}
	}
}

func (l *connections) setIdle(c *connection) {
	if c.idle == nil && !c.closed {
		c.since, c.idle = time.Now(), l.idle.PushBack(c)
	}
}

func (l *connections) setBusy(c *connection) {
	if c.idle != nil {
		l.idle.Remove(c.idle)
		c.idle = nil
	}
}

// changed is http.Server's ConnState.
func (l *connections) changed(raw net.Conn, state http.ConnState) {
	if secured, ok := raw.(*tls.Conn); ok {
		raw = secured.NetConn()
	}
	c, ok := raw.(*connection)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateIdle:
		l.setIdle(c)
	case http.StateActive:
		l.setBusy(c)
	case http.StateNew, http.StateHijacked, http.StateClosed: // known from Accept and Close
	}
}

func (l *connections) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.listener.mu.Lock()
	c.listener.remove(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
