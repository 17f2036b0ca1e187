package provider

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(t testing.TB, texts ...string) []netip.Prefix {
	t.Helper()
	all := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, prefix)
	}
	return all
}

func TestAddressOf(t *testing.T) {
	p := &Provider{trustedProxies: prefixes(t, "127.0.0.0/8", "10.0.0.0/8", "fd00::/8")}
	for name, c := range map[string]struct {
		peer   string
		header []string
		want   string
	}{
		"no proxy":                                  {"203.0.113.7:1234", nil, "203.0.113.7"},
		"a stranger who writes the header":          {"203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		"a stranger who claims to be a proxy":       {"203.0.113.7:1234", []string{"198.51.100.1, 10.0.0.1"}, "203.0.113.7"},
		"one proxy":                                 {"10.0.0.1:1234", []string{"203.0.113.7"}, "203.0.113.7"},
		"two proxies":                               {"10.0.0.1:1234", []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"two proxies, a header each":                {"10.0.0.1:1234", []string{"203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
		"a stranger who wrote something before":     {"10.0.0.1:1234", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"a stranger who wrote trusted addresses":    {"10.0.0.1:1234", []string{"10.0.0.9, 127.0.0.1, 203.0.113.7"}, "203.0.113.7"},
		"a stranger who sent a header of their own": {"10.0.0.1:1234", []string{"198.51.100.1", "203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"a stranger who wrote nonsense before":      {"10.0.0.1:1234", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		"nonsense from the proxy":                   {"10.0.0.1:1234", []string{"unknown"}, "10.0.0.1"},
		"nonsense from the proxy behind the proxy":  {"10.0.0.1:1234", []string{"unknown, 10.0.0.2"}, "10.0.0.2"},
		"empty":                               {"10.0.0.1:1234", []string{""}, "10.0.0.1"},
		"commas":                              {"10.0.0.1:1234", []string{",,,"}, "10.0.0.1"},
		"somebody within the trusted network": {"10.0.0.1:1234", []string{"10.0.0.77"}, "10.0.0.77"},
		"without blanks":                      {"10.0.0.1:1234", []string{"198.51.100.1,203.0.113.7,10.0.0.2"}, "203.0.113.7"},
		"with ports":                          {"10.0.0.1:1234", []string{"203.0.113.7:5678, 10.0.0.2:80"}, "203.0.113.7"},
		"IPv6":                                {"[fd00::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in brackets":                    {"[fd00::1]:1234", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv6 with a port":                    {"[fd00::1]:1234", []string{"[2001:db8::7]:5678"}, "2001:db8::7"},
		"IPv6 with a zone":                    {"[fd00::1]:1234", []string{"fe80::7%eth0"}, "fe80::7"},
		"a proxy that is written as IPv6":     {"[::ffff:10.0.0.1]:1234", []string{"203.0.113.7"}, "203.0.113.7"},
		"a stranger that is written as IPv6":  {"[::ffff:203.0.113.7]:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		"an address that is written as IPv6":  {"10.0.0.1:1234", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"an address with leading zeros":       {"10.0.0.1:1234", []string{"010.0.0.2"}, "10.0.0.1"},
		"a name":                              {"10.0.0.1:1234", []string{"localhost"}, "10.0.0.1"},
		"more proxies than anybody has":       {"10.0.0.1:1234", []string{"203.0.113.7" + strings.Repeat(", 10.0.0.2", 50)}, "10.0.0.2"},
		"no address at all":                   {"@", []string{"203.0.113.7"}, "@"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.header, "X-Real-Ip": {"192.0.2.1"}, "Forwarded": {"for=192.0.2.1"}}}
			if got, shared := p.addressOf(r); got != c.want || shared {
				t.Errorf("got %s, want %s; shared: %v", got, c.want, shared)
			}
		})
	}
	r := &http.Request{RemoteAddr: "10.0.0.1:1234", Header: http.Header{"X-Forwarded-For": {"203.0.113.7"}}}
	if got, _ := (&Provider{}).addressOf(r); got != "10.0.0.1" {
		t.Errorf("without trusted proxies it is %s", got)
	}
}

// What a proxy that nobody has named forwards is not believed, but it is known that many may be behind it.
func TestAddressOfUnknownProxies(t *testing.T) {
	p := &Provider{trustedProxies: prefixes(t, "127.0.0.0/8", "10.9.0.0/16"), proxyNetworks: prefixes(t, "10.0.0.0/8", "fd00::/8")}
	for name, c := range map[string]struct {
		peer   string
		header []string
		want   string
		shared bool
	}{
		"a proxy in the cluster":            {"10.0.0.1:1234", []string{"203.0.113.7"}, "10.0.0.1", true},
		"in the cluster, but no proxy":      {"10.0.0.1:1234", nil, "10.0.0.1", false},
		"on the internet":                   {"203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7", false},
		"trusted":                           {"127.0.0.1:1234", []string{"203.0.113.7"}, "203.0.113.7", false},
		"trusted in a network of proxies":   {"10.9.0.1:1234", []string{"203.0.113.7"}, "203.0.113.7", false},
		"behind a trusted one":              {"127.0.0.1:1234", []string{"203.0.113.7, 10.0.0.1"}, "10.0.0.1", false},
		"in the cluster, written as IPv6":   {"[::ffff:10.0.0.1]:1234", []string{"203.0.113.7"}, "10.0.0.1", true},
		"in the cluster, of IPv6":           {"[fd00::1]:1234", []string{"203.0.113.7"}, "fd00::1", true},
		"in the cluster, claiming nonsense": {"10.0.0.1:1234", []string{"<script>"}, "10.0.0.1", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, shared := p.addressOf(&http.Request{RemoteAddr: c.peer, Header: headersOf(c.header)})
			if got != c.want || shared != c.shared {
				t.Errorf("got %s, shared: %v; want %s, %v", got, shared, c.want, c.shared)
			}
		})
	}
}

// Whatever stands in the header, the answer is an address that a trusted proxy has told, or the peer's.
func FuzzForwardedFor(f *testing.F) {
	f.Add("203.0.113.7, 10.0.0.2", "10.0.0.1")
	f.Add("", "[::1]:80,")
	f.Add("::ffff:10.0.0.1, fe80::1%25eth0", "unknown")
	trusted := prefixes(f, "10.0.0.0/8", "::1/128")
	peer, stranger := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("203.0.113.7")
	f.Fuzz(func(t *testing.T, first, second string) {
		headers := []string{first, second}
		if got := forwardedFor(stranger, headers, trusted); got != stranger {
			t.Errorf("a stranger becomes %s", got)
		}
		if got := forwardedFor(peer, headers, nil); got != peer {
			t.Errorf("without trusted proxies the peer becomes %s", got)
		}
		got := forwardedFor(peer, headers, trusted)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q is not a plain address", got)
		}
		// What a proxy adds decides, whatever stands before it.
		if got := forwardedFor(peer, append(headers, "203.0.113.7"), trusted); got != stranger {
			t.Errorf("behind a proxy the stranger becomes %s", got)
		}
	})
}

// headersOf returns headers as net/http reads them: one that was not sent is not there.
func headersOf(forwarded []string) http.Header {
	if forwarded == nil {
		return http.Header{}
	}
	return http.Header{"X-Forwarded-For": forwarded}
}
