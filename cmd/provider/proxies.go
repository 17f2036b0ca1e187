package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// defaultTrustedProxies are the networks that nobody on the internet can send from: this machine, private networks
// (RFC 1918, RFC 4193), shared ones (RFC 6598) and the link (RFC 3927, RFC 4291).
const defaultTrustedProxies = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,100.64.0.0/10,169.254.0.0/16,fe80::/10"

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
