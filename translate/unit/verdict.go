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

// Fault is what a verdict is about, as data. Nothing reads it from the message, which is for
// people.
type Fault struct {
	// Field is empty if the verdict is about the object as a whole.
	Field field.Path
	// Missing is an object that does not exist and would remove the fault. It may exist where
	// more objects are known. Its name is empty where any object of the kind and namespace may
	// do, such as a ReferenceGrant. The zero value means that no other object helps.
	Missing Key
	// Follows reports that the verdict only follows from others on the object.
	Follows bool
}

// Unavailable is why something that units share is unavailable. It is empty if it is available.
type Unavailable struct {
	// Reason is one word in CamelCase, Message a sentence for people.
	Reason, Message string
	// Missing is the object that does not exist.
	Missing Key
}

// NotFound is why something is unavailable whose object does not exist.
func NotFound(reason string, key Key) Unavailable {
	return Unavailable{Reason: reason, Message: key.String() + " does not exist", Missing: key}
}

// Failed is why something is unavailable whose translation panicked.
func Failed(key Key) Unavailable {
	return Unavailable{Reason: "TranslationFailed", Message: key.String() + " could not be translated"}
}

// At returns the fault of a field.
func At(path field.Path) Fault { return Fault{Field: path} }

// Lacking returns the fault of a field that refers to a missing object.
func Lacking(path field.Path, missing Key) Fault { return Fault{Field: path, Missing: missing} }

// Within returns the fault of a field whose path is that of f after another path.
func (f Fault) Within(path field.Path) Fault {
	f.Field = f.Field.Within(path)
	return f
}

// faultError is an error that says what it is about.
type faultError struct {
	error
	fault Fault
}

func (e *faultError) Unwrap() error { return e.error }

// WithFault returns the error with what it is about; nil for nil.
func WithFault(err error, f Fault) error {
	if err == nil {
		return nil
	}
	return &faultError{err, f}
}

// FaultOf returns what an error is about. If it does not say, that is the field.
func FaultOf(err error, otherwise field.Path) Fault {
	if e, ok := errors.AsType[*faultError](err); ok {
		return e.fault
	}
	return At(otherwise)
}

// OneLine returns a message in which every character that is not printable is escaped as in a Go
// string. A value that a message quotes can then neither begin a line of its own in a log, an Event
// or a terminal, nor control the terminal.
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
