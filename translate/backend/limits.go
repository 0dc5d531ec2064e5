package backend

import (
	"fmt"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// applyLimits keeps a backend within the limits of one object: it drops excess endpoints, and refuses
// all requests if the plugins exceed the limits. It returns the problems.
func applyLimits(b *route.Backend, limits limit.Limits) (problems []kong.Problem) {
	var excess string
	if b.Targets, excess = FirstTargets(b.Targets, MaxTargets(limits, 1), limits); excess != "" {
		problems = append(problems, kong.Problem{Message: excess})
	}
	a := kong.NewAllowance(limits)
	b.Plugins, b.Refuse = a.Guard(b.Plugins, b.Refuse, kong.Part{Name: "annotation konghq.com/plugins", Path: annotation.Field(annotation.Plugins)})
	return append(problems, a.Problems()...)
}

// MaxTargets returns how many endpoints each of an object's backends may have.
func MaxTargets(limits limit.Limits, backends int) int {
	return max(limits.Object.Entities*9/10/backends, 1)
}

// FirstTargets returns the first endpoints, at most so many, and a message about the rest; empty for none.
func FirstTargets(targets []route.Target, most int, limits limit.Limits) ([]route.Target, string) {
	if limits.Object.Entities == limit.Unlimited || len(targets) <= most {
		return targets, ""
	}
	return targets[:most:most], fmt.Sprintf("only the first %d of %d endpoints are used: the setting %s allows an object %d entities, nine tenths of them for endpoints",
		most, len(targets), limit.ObjectEntities, limits.Object.Entities)
}
