package unit

import (
	"fmt"
	"slices"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
)

// Verdict is what the translation, or Kong, has to say about an object.
type Verdict struct {
	Object Key
	// Condition is the type of a status condition, such as "ResolvedRefs".
	// Empty for kinds that have none: an Event says it.
	Condition string
	// OK tells a condition that is true from one that is not. An Event is
	// written only when it is false.
	OK bool
	// Reason is one word in CamelCase, Message a sentence for people.
	Reason  string
	Message string
	// Holder is the object that has what this one lost; empty without a contest. It is for
	// the gateway's own log alone: it may be in a namespace that readers of the object know
	// nothing of.
	Holder Key
	Fault
}

// At returns the verdict with the field that it is about.
func (v Verdict) At(path field.Path) Verdict { return v.With(At(path)) }

// With returns the verdict with what it is about.
func (v Verdict) With(f Fault) Verdict {
	v.Fault = f
	return v
}

// Says reports whether two verdicts tell people the same.
func (v Verdict) Says(other Verdict) bool { return v.With(Fault{}) == other.With(Fault{}) }

// AppendNew appends those verdicts that say something new.
func AppendNew(verdicts []Verdict, more ...Verdict) []Verdict {
	for _, v := range more {
		if !slices.ContainsFunc(verdicts, v.Says) {
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// fewer are the first verdicts of each sort, with messages of a bounded length.
func fewer(verdicts []Verdict) []Verdict {
	long := func(v Verdict) bool { return max(len(v.Message), len(v.Field)) > limit.Message }
	if len(verdicts) <= limit.Verdicts && !slices.ContainsFunc(verdicts, long) {
		return verdicts
	}
	type sort struct {
		object    Key
		condition string
		ok        bool
	}
	count := map[sort]int{}
	var few []Verdict
	for _, v := range verdicts {
		of := sort{v.Object, v.Condition, v.OK}
		if count[of]++; count[of] <= limit.Verdicts {
			v.Message, v.Field = limit.Text(v.Message, limit.Message), field.Path(limit.Text(string(v.Field), limit.Message))
			few = append(few, v)
		}
	}
	for i := len(few) - 1; i >= 0; i-- {
		of := sort{few[i].Object, few[i].Condition, few[i].OK}
		if more := count[of] - limit.Verdicts; more > 0 {
			few[i].Message += fmt.Sprintf("; and there are %d more problems", more)
			count[of] = 0
		}
	}
	return few
}

// Warning is a verdict against an object, for which its status has no condition.
func Warning(object Key, reason, message string) Verdict {
	return Verdict{Object: object, Reason: reason, Message: message}
}
