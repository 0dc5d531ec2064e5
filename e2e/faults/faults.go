package faults

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/kube-sync/kube-sync/plugin/cli"
)

// Fault is one of the faults.
type Fault struct {
	// Name is the file's name, without its extension.
	Name, Title string
	// Command are the arguments of kube-sync, without the manifests.
	Command string

	want  string
	input []byte
}

// Read returns the faults of a directory, by name.
func Read(dir string) (all []Fault, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			return nil, err
		}
		f := Fault{Name: strings.TrimSuffix(filepath.Base(file), ".txtar"), Title: strings.TrimSpace(string(archive.Comment))}
		for _, section := range archive.Files {
			switch section.Name {
			case "command":
				f.Command = strings.TrimSpace(string(section.Data))
			case "want":
				f.want = strings.TrimSpace(string(section.Data))
			case "input.yaml":
				f.input = section.Data
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// mark is the comment at the line that the output must name.
const mark = "# here"

// Diagnosis is what a command said about a fault.
type Diagnosis struct {
	// Line is the line of the output that names the fault; empty if none does.
	Line string
	// Output is the whole output.
	Output string
}

// Diagnose runs the command of a fault. Base is the path of the manifests that belong to all faults.
func (f Fault) Diagnose(base string) (Diagnosis, error) {
	dir, err := os.MkdirTemp("", "fault")
	if err != nil {
		return Diagnosis{}, err
	}
	defer os.RemoveAll(dir)
	input := filepath.Join(dir, "input.yaml")
	if err := os.WriteFile(input, f.input, 0o600); err != nil {
		return Diagnosis{}, err
	}
	valid, err := os.ReadFile(base)
	if err != nil {
		return Diagnosis{}, err
	}
	others := filepath.Join(dir, "base.yaml")
	if err := os.WriteFile(others, valid, 0o600); err != nil {
		return Diagnosis{}, err
	}
	var out, errs bytes.Buffer
	cli.Run(append(strings.Fields(f.Command), "-f", input, "-f", others), &out, &errs)
	d := Diagnosis{Output: strings.ReplaceAll(out.String()+errs.String(), dir+"/", "")}
	want := f.wanted()
	for line := range strings.Lines(d.Output) {
		if line = strings.TrimSpace(line); d.Line == "" && strings.Contains(line, want) && strings.Contains(line, f.position()) {
			d.Line = line
		}
	}
	return d, nil
}

// position returns the file and line that the output must name.
func (f Fault) position() string {
	before, _, _ := bytes.Cut(f.input, []byte(mark))
	return fmt.Sprintf("input.yaml:%d", 1+bytes.Count(before, []byte("\n")))
}

// wanted returns what the line of the output must say: the object, its field, and where that is.
func (f Fault) wanted() string {
	switch explains := strings.HasPrefix(f.Command, "explain"); {
	case strings.Contains(f.want, "%s"):
		return strings.ReplaceAll(f.want, "%s", f.position())
	case explains:
		return f.want + " (" + f.position() + ")"
	}
	return f.want
}
