package faults

import (
	"bytes"
	"testing"
)

// fewest is the number of faults that commands must name in one call. A few may be beyond them.
const fewest = 48

func TestFaults(t *testing.T) {
	all, err := Read("testdata")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, f := range all {
		if bytes.Count(f.input, []byte(mark)) != 1 {
			t.Errorf("%s: want one line with %q", f.Name, mark)
		}
		d, err := f.Diagnose("testdata/base.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if d.Line == "" {
			t.Errorf("%s: kube-sync %s does not say %q:\n%s", f.Name, f.Command, f.wanted(), d.Output)
			continue
		}
		named++
	}
	if t.Logf("%d of %d faults are named", named, len(all)); named < fewest {
		t.Errorf("want %d at least", fewest)
	}
}

// Without a fault there is nothing to say.
func TestTheBaseHasNoFault(t *testing.T) {
	f := Fault{Command: "check", input: []byte("# " + mark)}
	if d, err := f.Diagnose("testdata/base.yaml"); err != nil || d.Output != "7 objects, 0 errors, 0 warnings\n" {
		t.Errorf("%v\n%s", err, d.Output)
	}
}
