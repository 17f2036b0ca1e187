package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// limited is a public port with a bound of connections for each address.
type limited struct {
	*testing.T
	public  *listener
	metrics *prometheus.Registry
	// busy are requests to /busy that have begun and are not answered before the test ends.
	busy chan struct{}
}

func newLimited(t *testing.T, known proxies, limit int) *limited {
	t.Helper()
	metrics, busy := prometheus.NewRegistry(), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			busy <- struct{}{}
			<-r.Context().Done()
		}
		http.NotFound(w, r)
	})
	l, err := listenPublic(&serveOptions{listen: "127.0.0.1:0", perAddress: limit}, known, handler, metrics, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.serve() }()
	t.Cleanup(func() {
		if err := errors.Join(l.server.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return &limited{t, l, metrics, busy}
}

// dial opens a connection from an address and sends the begin of a request.
func (l *limited) dial(from, request string) net.Conn {
	l.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	connection, err := dialer.DialContext(l.Context(), "tcp", l.public.Addr().String())
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(connection, request) // it may be closed already
	return connection
}

// occupy opens a connection whose request is being answered.
func (l *limited) occupy(from string) net.Conn {
	l.Helper()
	connection := l.dial(from, "GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n")
	select {
	case <-l.busy:
	case <-time.After(time.Minute):
		l.Fatal("the request is not served")
	}
	return connection
}

// ended tells whether the provider has closed a connection on which nothing more is to come.
func (l *limited) ended(connection net.Conn) bool {
	l.Helper()
	_, err := io.Copy(io.Discard, connection)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// open opens a connection from an address and tells whether it is answered on; then it is idle.
func (l *limited) open(from string) (connection net.Conn, answered bool) {
	l.Helper()
	connection = l.dial(from, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: http.MethodHead})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.Fatal("the connection is neither answered on nor closed")
	}
	if err == nil {
		_ = response.Body.Close()
	}
	return connection, err == nil
}

// metric returns the value of a metric without labels.
func (l *limited) metric(name string) float64 {
	l.Helper()
	families, err := l.metrics.Gather()
	if err != nil {
		l.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			metric := family.GetMetric()[0]
			return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	l.Fatalf("there is no %s", name)
	return 0
}

// One address that has too many connections gets another one for the one that it has used least lately, and no other address feels it.
func TestConnectionsPerAddress(t *testing.T) {
	l := newLimited(t, proxies{}, 3)
	other, _ := l.open("127.0.0.2")
	var idle []net.Conn
	for range 5 {
		connection, answered := l.open("127.0.0.1")
		if !answered {
			t.Fatal("a newcomer is refused although others are idle")
		}
		idle = append(idle, connection)
	}
	for _, connection := range idle[:2] {
		if !l.ended(connection) {
			t.Error("the longest idle connection is not closed")
		}
	}
	if open, evicted := l.metric("oidc_provider_connections"), l.metric("oidc_provider_connections_evicted_total"); open != 4 || evicted != 2 {
		t.Errorf("%v are open and %v were closed for others; want 4 and 2", open, evicted)
	}
	for _, connection := range append(idle[2:], other) {
		if _, err := io.WriteString(connection, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Error(err)
		}
		if response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: http.MethodHead}); err != nil || response.StatusCode != http.StatusNotFound {
			t.Errorf("a connection that had to stay open answers %v (%v)", response, err)
		}
	}
}

// What is being answered is not given up for a newcomer of the same address, until it is done with.
func TestConnectionsInUse(t *testing.T) {
	l := newLimited(t, proxies{}, 3)
	var busy []net.Conn
	for range 3 {
		busy = append(busy, l.occupy("127.0.0.1"))
	}
	if _, answered := l.open("127.0.0.1"); answered {
		t.Fatal("a connection too many is answered on")
	}
	if refused := l.metric("oidc_provider_connections_refused_total"); refused != 1 {
		t.Errorf("%v are refused; want 1", refused)
	}
	if _, answered := l.open("127.0.0.2"); !answered {
		t.Fatal("another address is refused")
	}
	_ = busy[0].Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, answered := l.open("127.0.0.1"); answered {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a connection that is closed counts for ever")
		}
	}
}

// Reverse proxies have connections for many.
func TestConnectionsOfProxies(t *testing.T) {
	network := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]struct {
		known proxies
		limit int
	}{
		"trusted":  {proxies{trusted: network}, 3},
		"unknown":  {proxies{unknown: network}, 3},
		"no bound": {proxies{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLimited(t, c.known, c.limit)
			for range 10 {
				if _, answered := l.open("127.0.0.1"); !answered {
					t.Fatal("refused")
				}
			}
		})
	}
}

// fakeConnection is one from an address.
type fakeConnection struct {
	net.Conn
	from   net.Addr
	closed bool
}

func (c *fakeConnection) RemoteAddr() net.Addr { return c.from }
func (c *fakeConnection) Close() error         { c.closed = true; return nil }

// arrivals is a listener to which connections come from addresses.
type arrivals chan net.Conn

func (a arrivals) Accept() (net.Conn, error) {
	if c, ok := <-a; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (arrivals) Close() error   { return nil }
func (arrivals) Addr() net.Addr { return nil }

// crowd is a port to which many come at once.
type crowd struct {
	*testing.T
	arrivals arrivals
	limited  *connections
}

func newCrowd(t *testing.T, known proxies) *crowd {
	t.Helper()
	all := make(arrivals, 1)
	l, err := limitPublic(all, perAddress, known, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &crowd{t, all, l}
}

// come has a connection arrive; busy tells that it sends a request at once. It returns nil when it is refused.
func (c *crowd) come(from string, busy bool) net.Conn {
	c.Helper()
	arrived := &fakeConnection{from: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	c.arrivals <- arrived
	if admitted, _ := c.limited.admit(<-c.arrivals); admitted != nil {
		if busy {
			c.limited.changed(admitted, http.StateActive)
		}
		return admitted
	}
	return nil
}

// Each IPv6 /64 is one, and each /48; an IPv4 address is the same in both ways of writing. Proxies have bounds, too.
func TestConnectionBounds(t *testing.T) {
	known, err := readProxies("")
	if err != nil {
		t.Fatal(err)
	}
	sites := make([]string, 100)
	for i := range sites {
		sites[i] = fmt.Sprintf("[2001:db8:1:%x::1]:1", i)
	}
	for name, c := range map[string]struct {
		addresses []string
		accepted  int // of 4096 that come from them in turn and are all in use
	}{
		"IPv4":                      {[]string{"203.0.113.7:1"}, perAddress},
		"IPv4 in two ways":          {[]string{"203.0.113.7:1", "[::ffff:203.0.113.7]:1"}, perAddress},
		"two of IPv4":               {[]string{"203.0.113.7:1", "203.0.113.8:1"}, 2 * perAddress},
		"one /64":                   {[]string{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::1]:1"}, perAddress},
		"two /64":                   {[]string{"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1"}, 2 * perAddress},
		"a /48":                     {sites, 2 * perAddress},
		"two /48":                   {append([]string{"[2001:db8:2::1]:1"}, sites...), 2*perAddress + maxConnections/101 + 1},
		"a trusted proxy":           {[]string{"127.0.0.1:1"}, perProxy},
		"a proxy that nobody named": {[]string{"10.0.0.1:1"}, perUnknownProxy},
	} {
		t.Run(name, func(t *testing.T) {
			crowd := newCrowd(t, known)
			for i := range maxConnections {
				crowd.come(c.addresses[i%len(c.addresses)], true)
			}
			if got := crowd.limited.count(); got != c.accepted {
				t.Errorf("%d are accepted; want %d", got, c.accepted)
			}
			if crowd.come("192.0.2.1:1", false) == nil {
				t.Error("another address is refused")
			}
		})
	}
}

// Sixteen addresses that hold all connections keep nobody out, whether they send requests or not.
func TestNobodyIsShutOut(t *testing.T) {
	for name, busy := range map[string]bool{"idle": false, "in use": true} {
		t.Run(name, func(t *testing.T) {
			crowd := newCrowd(t, proxies{})
			for i := range maxConnections {
				if crowd.come(fmt.Sprintf("203.0.113.%d:1", i%16), busy) == nil {
					t.Fatalf("connection %d is refused", i)
				}
			}
			for i := range 1000 {
				from := fmt.Sprintf("192.0.%d.%d:1", i/200, i%200)
				if crowd.come(from, true) == nil {
					t.Fatalf("newcomer %d is refused", i)
				}
			}
			if got := crowd.limited.count(); got != maxConnections {
				t.Errorf("%d are open; want %d", got, maxConnections)
			}
			if crowd.come("203.0.113.0:1", busy); crowd.limited.count() > maxConnections {
				t.Error("there are too many")
			}
		})
	}
}

// Whoever holds connections of the admin port keeps no probe from being answered, and a probe leaves none behind.
func TestProbesAreAnswered(t *testing.T) {
	busy := make(chan struct{})
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			busy <- struct{}{}
			<-r.Context().Done()
		}
	})
	l, err := listenAdmin("127.0.0.1:0", handler, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.serve() }()
	defer func() {
		if err := errors.Join(l.server.Close(), <-served); err != nil {
			t.Error(err)
		}
	}()
	probe := func() {
		t.Helper()
		response, err := (&http.Client{Timeout: time.Minute}).Get("http://" + l.Addr().String() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if !response.Close {
			t.Error("the connection of a probe is kept")
		}
	}
	for _, request := range []string{"", "GET /healthz HTTP/1.1\r\nHost: a\r\n", "GET /busy HTTP/1.1\r\nHost: a\r\n\r\n"} {
		for range maxAdminConnections + 6 {
			connection, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if _, err := io.WriteString(connection, request); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(request, "GET /busy") {
				<-busy
			}
		}
		probe()
	}
}

// TLS 1.2 is spoken with forward secrecy and AES-GCM only.
func TestCipherSuites(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writeCertificate(t, cert, key, 1)
	l, err := listenPublic(&serveOptions{listen: "127.0.0.1:0", tlsCert: cert, tlsKey: key}, proxies{}, http.NotFoundHandler(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.serve() }()
	defer func() {
		if err := errors.Join(l.server.Close(), <-served); err != nil {
			t.Error(err)
		}
	}()
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) || strings.Contains(suite.Name, "_RSA_WITH") && strings.HasPrefix(suite.Name, "TLS_ECDHE_RSA") {
			continue // of TLS 1.3, or for another kind of key
		}
		connection, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{
			InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID},
		})
		if err == nil {
			_ = connection.Close()
		}
		if want := strings.HasPrefix(suite.Name, "TLS_ECDHE_") && strings.Contains(suite.Name, "_GCM_"); (err == nil) != want {
			t.Errorf("%s: accepted %t; want %t (%v)", suite.Name, err == nil, want, err)
		}
	}
	connection, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err == nil {
		_ = connection.Close()
		t.Error("TLS 1.1 is spoken")
	}
}
