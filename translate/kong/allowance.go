package kong

import (
	"fmt"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Allowance is what one object may still make. What comes first in the object is served; the
// requests of what does not fit with its plugins are refused, and what does not fit without
// them is left out. The work for an object ends where its allowance does.
type Allowance struct {
	limits limit.Limits
	taken  limit.Cost
	// spent is why nothing more is taken; nil if there is room.
	spent            *limit.Exceeded
	refused, omitted omission
}

// Part is a part of an object.
type Part struct {
	// Name is what messages call it: "rule 0 path 1 (shop.example/)".
	Name string
	// Path is its field; empty for the object as a whole.
	Path field.Path
}

func (p Part) String() string { return p.Name }

// Problem is what there was no room for.
type Problem struct {
	Message string
	// Path is the field of the first part that it is about; empty for the object as a whole.
	Path field.Path
}

// omission are the parts of an object for which there was no room.
type omission struct {
	count int
	first Part
}

// NewAllowance returns that of an object of which nothing was made yet.
func NewAllowance(limits limit.Limits) *Allowance { return &Allowance{limits: limits} }

// tooLarge is what clients are told in place of plugins for which there is no room.
const tooLarge = "the plugins that protect this are too large"

// Guard returns what a part is served with: its plugins, or a refusal if there is no room
// for them. It is asked before anything is made of the plugins.
func (a *Allowance) Guard(plugins []route.Plugin, refuse string, where Part) ([]route.Plugin, string) {
	if refuse != "" || len(plugins) == 0 {
		return plugins, refuse
	}
	sum := a.taken
	sum.Entities++ // what has the plugins
	for _, p := range plugins {
		sum = sum.Add(limit.Cost{Entities: 1 + len(p.Entities), Bytes: len(p.Config)})
		for _, c := range p.Entities {
			sum.Bytes += len(c.Fields)
		}
	}
	if sum.Within(a.limits.Object, "", limit.ObjectSettings) == nil {
		return plugins, ""
	}
	a.refused.add(where)
	return nil, tooLarge
}

// Spent reports whether there is no room for any more parts.
func (a *Allowance) Spent(where Part) bool {
	if a.spent != nil {
		a.omitted.add(where)
	}
	return a.spent != nil
}

// Take reports whether there is room for the entities of a part.
func (a *Allowance) Take(entities []*Entity, where Part) bool {
	if a.Spent(where) {
		return false
	}
	sum := a.taken.Add(Cost(entities))
	if a.spent = sum.Within(a.limits.Object, "the object", limit.ObjectSettings); a.spent != nil {
		a.omitted.add(where)
		return false
	}
	a.taken = sum
	return true
}

// Problems say what there was no room for.
func (a *Allowance) Problems() (problems []Problem) {
	if n := a.refused.count; n > 0 {
		problems = append(problems, Problem{Path: a.refused.first.Path, Message: fmt.Sprintf(
			"%s: with its plugins the object is larger than the settings %s (%d entities) and %s (%d bytes) allow; requests are answered 503 rather than go out without. Parts of the object that this is so of: %d",
			a.refused.first, limit.ObjectEntities, a.limits.Object.Entities, limit.ObjectBytes, a.limits.Object.Bytes, n)})
	}
	if n := a.omitted.count; n > 0 {
		problems = append(problems, Problem{Path: a.omitted.first.Path, Message: fmt.Sprintf(
			"%s is left out, and what comes after it: with it %v. Parts of the object that are left out: %d", a.omitted.first, a.spent, n)})
	}
	return problems
}

func (o *omission) add(where Part) {
	if o.count++; o.count == 1 {
		o.first = where
	}
}
