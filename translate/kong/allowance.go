package kong

import (
	"fmt"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Allowance is what one object may still make. The first parts of the object are served. A part
// that does not fit with its plugins refuses its requests, and one that does not fit without them
// is left out. The translation of the object ends where its allowance does.
type Allowance struct {
	limits limit.Limits
	taken  limit.Cost
	// spent is why nothing more is taken; nil if there is room.
	spent            *limit.Exceeded
	refused, omitted omission
}

// Part is a part of an object.
type Part struct {
	// Name is the part's name in messages: "rule 0 path 1 (shop.example/)".
	Name string
	// Path is the part's field; empty for the object as a whole.
	Path field.Path
}

func (p Part) String() string { return p.Name }

// Problem describes what exceeded the allowance.
type Problem struct {
	Message string
	// Path is the field of the first such part; empty for the object as a whole.
	Path field.Path
}

// omission counts the parts of an object that exceeded the allowance.
type omission struct {
	count int
	first Part
}

// NewAllowance returns the whole allowance of an object.
func NewAllowance(limits limit.Limits) *Allowance { return &Allowance{limits: limits} }

// tooLarge is the message to clients in place of plugins that exceed the allowance.
const tooLarge = "the plugins that protect this are too large"

// Guard returns a part's plugins, or a refusal if they exceed the allowance. Call it before
// making entities of the plugins.
func (a *Allowance) Guard(plugins []route.Plugin, refuse string, where Part) ([]route.Plugin, string) {
	if refuse != "" || len(plugins) == 0 {
		return plugins, refuse
	}
	sum := a.taken
	sum.Entities++ // the holder of the plugins
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

// Spent reports whether the allowance is used up. If so, it counts the part as omitted.
func (a *Allowance) Spent(where Part) bool {
	if a.spent != nil {
		a.omitted.add(where)
	}
	return a.spent != nil
}

// Take reports whether the entities of a part fit, and subtracts their cost.
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

// Problems describes what exceeded the allowance.
func (a *Allowance) Problems() (problems []Problem) {
	if n := a.refused.count; n > 0 {
		problems = append(problems, Problem{Path: a.refused.first.Path, Message: fmt.Sprintf(
			"%s: with its plugins, the object exceeds what the settings %s (%d entities) and %s (%d bytes) allow, so requests are answered with 503. Parts of the object affected: %d",
			a.refused.first, limit.ObjectEntities, a.limits.Object.Entities, limit.ObjectBytes, a.limits.Object.Bytes, n)})
	}
	if n := a.omitted.count; n > 0 {
		problems = append(problems, Problem{Path: a.omitted.first.Path, Message: fmt.Sprintf(
			"%s and what comes after it are left out: with it, %v. Parts of the object left out: %d", a.omitted.first, a.spent, n)})
	}
	return problems
}

func (o *omission) add(where Part) {
	if o.count++; o.count == 1 {
		o.first = where
	}
}
