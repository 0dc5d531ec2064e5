package backend

import (
	"fmt"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Bound keeps a backend within what one object may make: of too many endpoints the first are
// taken, and plugins for which there is no room make all requests be refused. It returns
// what there is to say of that.
func Bound(b *route.Backend, limits limit.Limits) (problems []kong.Problem) {
	if most := limits.Object.Entities; most != limit.Unlimited {
		var wrong string
		if b.Targets, wrong = First(b.Targets, Most(limits, 1), limits); wrong != "" {
			problems = append(problems, kong.Problem{Message: wrong})
		}
	}
	a := kong.NewAllowance(limits)
	b.Plugins, b.Refuse = a.Guard(b.Plugins, b.Refuse, kong.Part{Name: "annotation konghq.com/plugins", Path: annotation.Field(annotation.Plugins)})
	return append(problems, a.Problems()...)
}

// Most is how many endpoints each of so many backends of one object may have.
func Most(limits limit.Limits, backends int) int {
	return max(limits.Object.Entities*9/10/backends, 1)
}

// First returns the first endpoints, so many at most, and what there is to say of the rest.
func First(targets []route.Target, most int, limits limit.Limits) ([]route.Target, string) {
	if limits.Object.Entities == limit.Unlimited || len(targets) <= most {
		return targets, ""
	}
	return targets[:most:most], fmt.Sprintf("there are %d endpoints, and only the first %d are used: an object makes %d entities at most by the setting %s, and its endpoints are nine tenths of them",
		len(targets), most, limits.Object.Entities, limit.ObjectEntities)
}
