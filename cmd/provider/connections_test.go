package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// limited is a public port with a bound of three connections for each address.
type limited struct {
	*testing.T
	public  net.Listener
	metrics *prometheus.Registry
}

func newLimited(t *testing.T, known proxies, limit int) *limited {
	t.Helper()
	metrics := prometheus.NewRegistry()
	l, err := listen(&serveOptions{listen: "127.0.0.1:0", adminListen: "127.0.0.1:0", perAddress: limit}, known,
		http.NotFoundHandler(), http.NotFoundHandler(), metrics, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.publicServer.Serve(l.public) }()
	t.Cleanup(func() {
		if err := errors.Join(l.publicServer.Close(), l.admin.Close()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return &limited{t, l.public, metrics}
}

// open opens a connection from an address and tells whether it is answered on.
func (l *limited) open(from string) (connection net.Conn, answered bool) {
	l.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	connection, err := dialer.DialContext(l.Context(), "tcp", l.public.Addr().String())
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") // it may be closed already
	_, err = io.ReadFull(connection, make([]byte, len("HTTP/1.1 404")))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.Fatal("the connection is neither answered on nor closed")
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

// One address cannot take the connections of all others, and gets on again when it closes some.
func TestConnectionsPerAddress(t *testing.T) {
	l := newLimited(t, proxies{}, 3)
	var held []net.Conn
	for range 3 {
		connection, answered := l.open("127.0.0.1")
		if !answered {
			t.Fatal("refused too early")
		}
		held = append(held, connection)
	}
	for range 2 {
		if _, answered := l.open("127.0.0.1"); answered {
			t.Fatal("a connection too many is answered on")
		}
	}
	if _, answered := l.open("127.0.0.2"); !answered {
		t.Fatal("another address is refused")
	}
	if refused, open := l.metric("oidc_provider_connections_refused_total"), l.metric("oidc_provider_connections"); refused != 2 || open != 4 {
		t.Errorf("%v are refused and %v open", refused, open)
	}
	_ = held[0].Close()
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

// anyAddress is a listener to which connections come from the addresses that it is told.
type anyAddress struct {
	net.Listener
	from chan string
}

type connectionFrom struct {
	net.Conn
	from net.Addr
}

func (c connectionFrom) RemoteAddr() net.Addr { return c.from }
func (connectionFrom) Close() error           { return nil }

func (l anyAddress) Accept() (net.Conn, error) {
	return connectionFrom{from: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(<-l.from))}, nil
}

// Each IPv6 /64 is one, and an IPv4 address is the same in both ways of writing. Proxies have bounds, too.
func TestConnectionBounds(t *testing.T) {
	known, err := readProxies("")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		addresses []string
		accepted  int // of 4096 that come from them in turn
	}{
		"IPv4":                      {[]string{"203.0.113.7:1"}, perAddress},
		"IPv4 in two ways":          {[]string{"203.0.113.7:1", "[::ffff:203.0.113.7]:1"}, perAddress},
		"two of IPv4":               {[]string{"203.0.113.7:1", "203.0.113.8:1"}, 2 * perAddress},
		"one /64":                   {[]string{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::1]:1"}, perAddress},
		"two /64":                   {[]string{"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1"}, 2 * perAddress},
		"a trusted proxy":           {[]string{"127.0.0.1:1"}, perProxy},
		"a proxy that nobody named": {[]string{"10.0.0.1:1"}, perUnknownProxy},
	} {
		t.Run(name, func(t *testing.T) {
			from := make(chan string)
			l, err := limitAddresses(anyAddress{from: from}, perAddress, known, prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			accepted := make(chan net.Conn, maxConnections)
			go func() {
				for {
					connection, _ := l.Accept()
					accepted <- connection
				}
			}()
			for i := range maxConnections {
				from <- c.addresses[i%len(c.addresses)]
			}
			for i := range c.accepted {
				select {
				case connection := <-accepted:
					defer connection.Close()
				case <-time.After(time.Minute):
					t.Fatalf("only %d are accepted", i)
				}
			}
			from <- "192.0.2.1:1" // accepted after all that came before
			if connection := <-accepted; connection.RemoteAddr().String() != "192.0.2.1:1" {
				t.Errorf("more than %d are accepted", c.accepted)
			}
			if refused := testutil.ToFloat64(l.refused); refused != float64(maxConnections-c.accepted) {
				t.Errorf("%v are refused", refused)
			}
		})
	}
}
