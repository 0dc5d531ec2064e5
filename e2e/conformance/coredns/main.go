// The program coredns is CoreDNS with the plugins that the conformance suite's configuration names. The module is
// separate for the sake of what CoreDNS depends on; package conformance builds it.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/whoami"
)

func main() {
	dnsserver.Directives = []string{"errors", "log", "whoami", "forward"} // in the order of their handling
	coremain.Run()
}
