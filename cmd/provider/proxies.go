package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// Without the flag only this machine is trusted. In private networks (RFC 1918, RFC 4193), shared ones (RFC 6598) and on the
// link (RFC 3927, RFC 4291) a proxy may be, such as the Ingress controller of a cluster, but so may anybody else who would like
// to be taken for one: what they forward is not believed, but neither does one person's failure count for all who share the proxy.
const (
	defaultTrustedProxies = "127.0.0.0/8,::1/128"
	networksOfProxies     = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,100.64.0.0/10,169.254.0.0/16,fe80::/10"
)

// proxies are the networks of reverse proxies.
type proxies struct {
	// trusted are those whose X-Forwarded-For is believed, unknown those in which proxies may be that nobody has named.
	trusted, unknown []netip.Prefix
}

// readProxies reads the flag --trusted-proxies. Whoever sets it has named all their proxies.
func readProxies(list string) (p proxies, err error) {
	if list != "" {
		p.trusted, err = parseProxies(list)
		return p, err
	}
	if p.trusted, err = parseProxies(defaultTrustedProxies); err != nil {
		return p, err
	}
	p.unknown, err = parseProxies(networksOfProxies)
	return p, err
}

// parseProxies reads a list of networks or addresses with commas between them; "none" is the empty one.
func parseProxies(list string) ([]netip.Prefix, error) {
	if list == "none" {
		return nil, nil
	}
	var proxies []netip.Prefix
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if address, err := netip.ParseAddr(item); err == nil && address.Zone() == "" {
			address = address.Unmap()
			proxies = append(proxies, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if err != nil || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("--trusted-proxies: %q is no network such as 10.0.0.0/8, no address, and not the word none", item)
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies, nil
}
