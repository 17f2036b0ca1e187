package main

import (
	"net/netip"
	"slices"
	"testing"
)

func TestParseProxies(t *testing.T) {
	for list, want := range map[string][]string{
		"none":                       nil,
		"10.0.0.0/8":                 {"10.0.0.0/8"},
		"10.1.2.3/8, 2001:db8::1/64": {"10.0.0.0/8", "2001:db8::/64"},
		"192.0.2.1,2001:db8::1":      {"192.0.2.1/32", "2001:db8::1/128"},
		"::ffff:192.0.2.1":           {"192.0.2.1/32"},
		"":                           {"refused"},
		"10.0.0.0/8,":                {"refused"},
		"10.0.0.0/33":                {"refused"},
		"proxy.example.com":          {"refused"},
		"10.0.0.0/8 192.168.0.0/16":  {"refused"},
		"none,10.0.0.0/8":            {"refused"},
		"fe80::1%eth0":               {"refused"},
		"::ffff:10.0.0.0/104":        {"refused"},
	} {
		proxies, err := parseProxies(list)
		var got []string
		for _, prefix := range proxies {
			got = append(got, prefix.String())
		}
		if err != nil {
			got = []string{"refused"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q gives %v (%v), not %v", list, got, err, want)
		}
	}
}

func TestDefaultTrustedProxies(t *testing.T) {
	proxies, err := parseProxies(defaultTrustedProxies)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.244.0.7": true, "172.31.0.1": true, "192.168.1.1": true, "fd12::1": true, "fe80::1": true,
		"100.64.3.2": true, "203.0.113.7": false, "172.32.0.1": false, "2001:db8::1": false, "0.0.0.0": false, "8.8.8.8": false,
	} {
		got := slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr(address)) })
		if got != want {
			t.Errorf("%s: got %v", address, got)
		}
	}
}
