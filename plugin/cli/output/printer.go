package output

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"slices"

	"golang.org/x/term"
	"sigs.k8s.io/yaml"
)

// Format is a format of results.
type Format string

// The formats.
const (
	Table Format = "table"
	JSON  Format = "json"
	YAML  Format = "yaml"
)

// Printer prints results.
type Printer struct {
	// Format is [Table] unless a flag sets it.
	Format Format
	// Color permits colors on pages.
	Color bool
	out   io.Writer
}

// New returns a printer for an output. Colors are permitted if the output is a terminal and the
// environment does not forbid them.
func New(out io.Writer) *Printer {
	file, ok := out.(*os.File)
	colors := ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &Printer{Format: Table, Color: colors, out: out}
}

// Flag adds the flag -o, which sets the format.
func (p *Printer) Flag(f *flag.FlagSet) {
	f.Func("o", "output `FORMAT`: table, json or yaml; default table", func(value string) error {
		if !slices.Contains([]Format{Table, JSON, YAML}, Format(value)) {
			return errors.New("want table, json or yaml")
		}
		p.Format = Format(value)
		return nil
	})
}

// Print prints a result, whose page a function writes.
func (p *Printer) Print(result any, write func(*Page)) error {
	var text []byte
	var err error
	switch p.Format {
	case JSON:
		text, err = json.MarshalIndent(result, "", "  ")
		text = append(text, '\n')
	case YAML:
		text, err = yaml.Marshal(result)
	default:
		page := &Page{color: p.Color}
		write(page)
		text = []byte(page.String())
	}
	if err != nil {
		return err
	}
	_, err = p.out.Write(text)
	return err
}
