package filter

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// AddOwn adds the filters of each backend to its share. The requests of a backend with an
// unsupported filter get a 500, and an error is returned for it. At is the path of the rule.
func (f *Set) AddOwn(rule *gatewayv1.HTTPRouteRule, matched route.Path, at field.Path) (wrong []error) {
	f.Shares = slices.Clone(f.Shares) // they belong to the rule's unit
	for i := range f.Shares {
		d := &f.Shares[i]
		if d.Status != 0 {
			continue
		}
		for k, filter := range rule.BackendRefs[d.Ref].Filters {
			if err := d.add(filter, matched); err != nil {
				own := at.Child("backendRefs").Index(d.Ref).Child("filters").Index(k)
				wrong = append(wrong, unit.WithFault(fmt.Errorf("backend %d: %w", d.Ref, err), unit.FaultOf(err, "").Within(own)))
				*d = Share{Weight: d.Weight, Status: 500}
				break
			}
		}
	}
	return wrong
}
