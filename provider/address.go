package provider

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// maxHops bounds how many proxies between browser and provider are looked at.
const maxHops = 32

// addressOf returns the IP address of whoever sent a request. Each proxy on the way adds to X-Forwarded-For where it has
// the request from; everything before what the outermost trusted one has added was written by a stranger. So the list is
// read from its end, for as long as trusted proxies have written it. The other headers of that kind are not read, nor is
// the one of RFC 7239: a proxy that sets one passes the others on as the stranger wrote them.
//
// shared tells that the address is that of a proxy which nobody has named, and all who come through it have it in common.
func (p *Provider) addressOf(r *http.Request) (address string, shared bool) {
	parsed, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, false // a Unix socket, or a test
	}
	peer, headers := plain(parsed.Addr()), r.Header["X-Forwarded-For"]
	if len(headers) > 0 && within(p.proxyNetworks, peer) && !within(p.trustedProxies, peer) {
		return peer.String(), true
	}
	return forwardedFor(peer, headers, p.trustedProxies).String(), false
}

// unknownProxyInterval is how often the log tells of proxies that are not trusted.
const unknownProxyInterval = time.Hour

// noteUnknownProxy tells that a request has come through a proxy that nobody has named.
func (p *Provider) noteUnknownProxy(r *http.Request, address string) {
	p.metrics.unknownProxies.Inc()
	now, last := p.now().UnixNano(), p.unknownProxyAt.Load()
	if now-last < int64(unknownProxyInterval) || !p.unknownProxyAt.CompareAndSwap(last, now) {
		return
	}
	p.logger.WarnContext(r.Context(), "a reverse proxy is not trusted: all who come through it share its address; "+
		"name it with --trusted-proxies, spec.trustedProxies of an OIDCProvider", "address", address)
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
