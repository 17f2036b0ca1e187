package provider

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how many proxies between browser and provider are looked at.
const maxHops = 32

// addressOf returns the IP address of whoever sent a request. Each proxy on the way adds to X-Forwarded-For where it has
// the request from; everything before what the outermost trusted one has added was written by a stranger. So the list is
// read from its end, for as long as trusted proxies have written it. The other headers of that kind are not read, nor is
// the one of RFC 7239: a proxy that sets one passes the others on as the stranger wrote them.
func (p *Provider) addressOf(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a Unix socket, or a test
	}
	return forwardedFor(plain(peer.Addr()), r.Header["X-Forwarded-For"], p.trustedProxies).String()
}

// forwardedFor returns the first address from the end, beginning with the peer, that is not a trusted proxy's. Where the
// list cannot be read any further, or has no other, it is the last one that was read.
func forwardedFor(peer netip.Addr, headers []string, trusted []netip.Prefix) netip.Addr {
	address := peer
	hops := 0
	for h := len(headers) - 1; h >= 0; h-- {
		for rest, more := headers[h], true; more; {
			var last string
			if cut := strings.LastIndexByte(rest, ','); cut >= 0 {
				rest, last = rest[:cut], rest[cut+1:]
			} else {
				last, more = rest, false
			}
			if hops++; hops > maxHops || !within(trusted, address) {
				return address
			}
			next, ok := parseHop(last)
			if !ok {
				return address
			}
			address = next
		}
	}
	return address
}

// parseHop reads an address as proxies write it: bare, or with a port, an IPv6 address then in brackets.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return plain(address), true
	}
	withPort, err := netip.ParseAddrPort(text)
	return plain(withPort.Addr()), err == nil
}

// plain makes one address of the ways in which the same one can be written.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

func within(prefixes []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
