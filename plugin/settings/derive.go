package settings

import (
	"os"
	"slices"
	"strings"
)

// serviceAccount has the pod's namespace, if the pod has a service account.
var serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// derive fills in the settings whose default depends on others, or on where we are.
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
	if s.ElectionNamespace == "" {
		s.ElectionNamespace = s.PodNamespace
	}
	if s.ElectionID == "" {
		s.ElectionID = "kube-sync-" + s.IngressClass
	}
	if len(sources.Kong) == 0 {
		return errs
	}
	errs = append(errs, fits(sources.Kong)...)
	listens, err := kongListens(sources.Kong)
	if err != nil {
		errs = append(errs, err)
	}
	s.KongListens = listens
	if s.Admin == "" {
		admin, err := adminOf(sources.Kong)
		if err != nil {
			errs = append(errs, err)
		}
		s.Admin = admin
	}
	return errs
}
