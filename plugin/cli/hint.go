package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	kubernetes "k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// hints returns sentences on how to call check so that it finds less, if that is likely to be meant.
func (c *checker) hints() (hints []string) {
	own, twice := false, 0
	var dirs [2]string
	for _, fault := range c.survey.Faults {
		_, refused := refusedEndpoint(fault)
		own = own || refused && !c.ownHost(fault)
		if again, ok := errors.AsType[*manifest.DuplicateError](fault.Err); ok && again.First.File != fault.Position.File {
			twice++
			dirs = [2]string{filepath.Dir(again.First.File), filepath.Dir(fault.Position.File)}
		}
	}
	if twice > 0 {
		hint := "%s in more than one file. All files are checked as those of one cluster"
		if dirs[0] != dirs[1] {
			hint += fmt.Sprintf(": check %s and %s one at a time", dirs[0], dirs[1])
		}
		hints = append(hints, fmt.Sprintf(hint+".", isOrAre(twice, "object")))
	}
	if own {
		hints = append(hints, "The manifests have endpoints on the gateway's own host, which no API server accepts. "+
			"A gateway that reads its manifests from files can use them: check with -allow-loopback-backends.")
	}
	return hints
}

// isOrAre returns the start of a sentence on a number of things, such as "2 objects are".
func isOrAre(n int, thing string) string {
	if n == 1 {
		return count(n, thing) + " is"
	}
	return count(n, thing) + " are"
}

// ownHost reports whether a fault is only that an endpoint is on the gateway's own host, where the
// options permit that. An API server permits it never, but there is none if manifests are watched
// in place of a cluster.
func (c *checker) ownHost(fault manifest.Fault) bool {
	endpoint, ok := refusedEndpoint(fault)
	return ok && c.options.Backend.Addresses.Reason(endpoint) == ""
}

// refusedEndpoint returns the address of an endpoint that an API server refuses because it is on the
// own host or link.
func refusedEndpoint(fault manifest.Fault) (netip.Addr, bool) {
	about, ok := errors.AsType[*kubernetes.Error](fault.Err)
	// Errors about the family of an address are about the list.
	if !ok || fault.Key.Kind != unit.EndpointSlice || !strings.HasSuffix(about.Field, "]") {
		return netip.Addr{}, false
	}
	text, _ := about.BadValue.(string)
	endpoint, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, false
	}
	for _, r := range address.BuiltIn() {
		if r.OwnHost && r.Contains(endpoint) {
			return endpoint, true
		}
	}
	return netip.Addr{}, false
}
