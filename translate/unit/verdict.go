package unit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
)

// Fault is what a verdict is about, as data. The message is for people only; no code reads it.
type Fault struct {
	// Field is empty if the verdict is about the object as a whole.
	Field field.Path
	// Missing is an object that does not exist and whose creation removes the fault. Its name is
	// empty if any object of the kind and namespace may do so, such as a ReferenceGrant. The zero
	// value means that no other object helps.
	Missing Key
	// Follows is set if the verdict is only a consequence of others on the object.
	Follows bool
}

// Unavailable is why something that units share is unavailable. The zero value means that it is
// available.
type Unavailable struct {
	// Reason is one word in CamelCase, Message a sentence for people.
	Reason, Message string
	// Missing is the object that does not exist.
	Missing Key
}

// NotFound returns why something is unavailable whose object does not exist.
func NotFound(reason string, key Key) Unavailable {
	return Unavailable{Reason: reason, Message: key.String() + " does not exist", Missing: key}
}

// Failed returns why something is unavailable whose translation panicked.
func Failed(key Key) Unavailable {
	return Unavailable{Reason: "TranslationFailed", Message: "the translation of " + key.String() + " failed"}
}

// At returns the fault of a field.
func At(path field.Path) Fault { return Fault{Field: path} }

// Lacking returns the fault of a field that refers to a missing object.
func Lacking(path field.Path, missing Key) Fault { return Fault{Field: path, Missing: missing} }

// Within returns the fault with its field's path taken as relative to another path.
func (f Fault) Within(path field.Path) Fault {
	f.Field = f.Field.Within(path)
	return f
}

// faultError is an error with a fault.
type faultError struct {
	error
	fault Fault
}

func (e *faultError) Unwrap() error { return e.error }

// WithFault returns the error with a fault that [FaultOf] finds; nil for nil.
func WithFault(err error, f Fault) error {
	if err == nil {
		return nil
	}
	return &faultError{err, f}
}

// FaultOf returns the fault of an error, or the fault of the given field if the error has none.
func FaultOf(err error, otherwise field.Path) Fault {
	if e, ok := errors.AsType[*faultError](err); ok {
		return e.fault
	}
	return At(otherwise)
}

// OneLine returns a message in which every unprintable character is escaped as in a Go string. A
// value that a message quotes can then neither start a new line in a log, an Event or a terminal,
// nor control the terminal.
func OneLine(message string) string {
	if strings.IndexFunc(message, unprintable) < 0 {
		return message
	}
	var line strings.Builder
	for _, r := range message {
		if unprintable(r) {
			quoted := strconv.QuoteRune(r)
			line.WriteString(quoted[1 : len(quoted)-1])
		} else {
			line.WriteRune(r)
		}
	}
	return line.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// Verdict is a finding of the translation, or of Kong, about an object: mostly what it asked for
// and did not get.
type Verdict struct {
	Object Key
	// Condition is the type of a status condition, such as "ResolvedRefs". It is empty for kinds
	// without conditions, whose verdicts become Events.
	Condition string
	// OK is the status of the condition. An Event is written only if it is false.
	OK bool
	// Reason is one word in CamelCase, Message a sentence for people.
	Reason  string
	Message string
	// Holder is the object that won what this one lost; empty without a contest. It is for the
	// gateway's own log only: readers of the object may have no access to the holder's namespace.
	Holder Key
	Fault
}

// At returns the verdict with the fault of a field.
func (v Verdict) At(path field.Path) Verdict { return v.With(At(path)) }

// With returns the verdict with a fault.
func (v Verdict) With(f Fault) Verdict {
	v.Fault = f
	return v
}

// Says reports whether two verdicts are equal but for their faults.
func (v Verdict) Says(other Verdict) bool { return v.With(Fault{}) == other.With(Fault{}) }

// AppendNew appends the verdicts that no earlier one [Verdict.Says].
func AppendNew(verdicts []Verdict, more ...Verdict) []Verdict {
	for _, v := range more {
		if !slices.ContainsFunc(verdicts, v.Says) {
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// fewer returns the first verdicts of each object and condition, with messages of a bounded
// length.
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
			few[i].Message += fmt.Sprintf("; %d more problems are not listed", more)
			count[of] = 0
		}
	}
	return few
}

// Warning returns a verdict that the object's status has no condition for.
func Warning(object Key, reason, message string) Verdict {
	return Verdict{Object: object, Reason: reason, Message: message}
}
