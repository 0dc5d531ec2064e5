package settings

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// companionPlugin is the plugin of Kong whose workers check the addresses that they connect to.
const companionPlugin = "kube-sync-delta"

// serviceAccount is the file with the pod's namespace, if the pod has a service account.
var serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// derive sets the settings whose default depends on other settings, on Kong or on the pod.
func (s *Settings) derive(sources Sources) []error {
	var errs []error
	variable := func(name string) string {
		for _, v := range slices.Backward(sources.Environ) {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	if s.PodName == "" {
		s.PodName = variable("POD_NAME")
	}
	if s.PodName == "" {
		s.PodName, _ = os.Hostname()
	}
	if s.PodNamespace == "" {
		s.PodNamespace = variable("POD_NAMESPACE")
	}
	if s.PodNamespace == "" {
		namespace, _ := os.ReadFile(serviceAccount)
		s.PodNamespace = strings.TrimSpace(string(namespace))
	}
	if len(s.LastResortNamespaces) == 0 && s.PodNamespace != "" {
		s.LastResortNamespaces = []string{s.PodNamespace}
	}
	if s.ElectionNamespace == "" {
		s.ElectionNamespace = s.PodNamespace
	}
	if s.ElectionID == "" {
		s.ElectionID = "kube-sync-" + s.IngressClass
	}
	own, err := ownAddresses()
	if err != nil {
		errs = append(errs, err)
	}
	s.OwnAddresses = own
	if u, err := url.Parse(s.APIServerHost); err == nil {
		s.APIServerAddresses = addressesOf(u.Hostname(), variable("KUBERNETES_SERVICE_HOST"))
	}
	if len(sources.Kong) == 0 {
		return errs
	}
	errs = append(errs, checkKong(sources.Kong)...)
	s.Unguarded = !slices.ContainsFunc(strings.Split(sources.Kong["plugins"], ","), func(name string) bool {
		return strings.TrimSpace(name) == companionPlugin
	})
	listens, err := kongListens(sources.Kong)
	if err != nil {
		errs = append(errs, err)
	}
	s.KongListens = listens
	if s.PortMaps, err = portMaps(sources.Kong["port_maps"]); err != nil {
		errs = append(errs, err)
	}
	s.WeakTLS = allowsWeakTLS(sources.Kong)
	if s.Admin == "" {
		admin, err := adminOf(sources.Kong)
		if err != nil {
			errs = append(errs, err)
		}
		s.Admin = admin
	}
	return errs
}

var interfaceAddresses = net.InterfaceAddrs

// ownAddresses returns the addresses of all network interfaces. A pod keeps them as long as it
// lives.
func ownAddresses() ([]netip.Addr, error) {
	all, err := interfaceAddresses()
	if err != nil {
		return nil, fmt.Errorf("the pod's own addresses: %w", err)
	}
	var own []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Addr().Unmap())
		}
	}
	return own, nil
}

// addressesOf returns the hosts that are IP addresses.
func addressesOf(hosts ...string) (all []netip.Addr) {
	for _, host := range hosts {
		if a, err := netip.ParseAddr(host); err == nil {
			all = append(all, a.Unmap())
		}
	}
	return all
}
