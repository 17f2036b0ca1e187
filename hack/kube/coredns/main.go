// Command coredns is CoreDNS with the plugins that the DNS of one node's cluster needs, and none of the others.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// The order in which a request passes through the plugins.
	dnsserver.Directives = []string{"errors", "ready", "cache", "loadbalance", "kubernetes"}
	coremain.Run()
}
