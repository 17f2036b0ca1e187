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

func TestDefaultProxies(t *testing.T) {
	byDefault, err := readProxies("")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"127.0.0.1": "trusted", "::1": "trusted", "10.244.0.7": "unknown", "172.31.0.1": "unknown", "192.168.1.1": "unknown", "fd12::1": "unknown",
		"fe80::1": "unknown", "100.64.3.2": "unknown", "203.0.113.7": "", "172.32.0.1": "", "2001:db8::1": "", "0.0.0.0": "", "8.8.8.8": "",
	} {
		got := ""
		for name, networks := range map[string][]netip.Prefix{"trusted": byDefault.trusted, "unknown": byDefault.unknown} {
			if contains(networks, netip.MustParseAddr(address)) {
				got += name
			}
		}
		if got != want {
			t.Errorf("%s: got %q", address, got)
		}
	}
	// Whoever names proxies, or none, has named them all.
	for _, list := range []string{"none", "10.0.0.0/8"} {
		if named, err := readProxies(list); err != nil || len(named.unknown) > 0 || contains(named.trusted, netip.MustParseAddr("127.0.0.1")) {
			t.Errorf("%s: %v %v", list, named, err)
		}
	}
}
