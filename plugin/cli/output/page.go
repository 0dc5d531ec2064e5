package output

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Style is how a value looks on a terminal.
type Style string

// The styles, as parameters of terminals' escape sequences.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Faint  Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// Cell is a value with a style.
type Cell struct {
	Text  string
	Style Style
}

// Styled returns a cell.
func Styled(style Style, text string) Cell { return Cell{text, style} }

// Page is a result for people.
type Page struct {
	text  strings.Builder
	color bool
}

// String returns what was written.
func (p *Page) String() string { return p.text.String() }

// Line writes a line of cells and other values, which it separates by spaces.
func (p *Page) Line(values ...any) {
	for i, value := range values {
		if i > 0 {
			p.text.WriteByte(' ')
		}
		p.text.WriteString(p.paint(cell(value)))
	}
	p.text.WriteByte('\n')
}

// Heading writes a line in bold, after an empty line if it is not the first one.
func (p *Page) Heading(text string) {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
	p.Line(Styled(Bold, text))
}

// gap is between the columns of a table.
const gap = "  "

// Table writes a table. The values of a row are cells, or values that [fmt.Sprint] formats. A table
// without a header has only rows.
func (p *Page) Table(header []string, rows ...[]any) {
	var all [][]Cell
	if len(header) > 0 {
		head := make([]Cell, len(header))
		for i, name := range header {
			head[i] = Styled(Faint, name)
		}
		all = append(all, head)
	}
	for _, row := range rows {
		cells := make([]Cell, len(row))
		for i, value := range row {
			cells[i] = cell(value)
		}
		all = append(all, cells)
	}
	widths := widths(all)
	for _, row := range all {
		for i, c := range row {
			p.text.WriteString(p.paint(c))
			if i < len(row)-1 {
				p.text.WriteString(strings.Repeat(" ", widths[i]-width(c)) + gap)
			}
		}
		p.text.WriteByte('\n')
	}
}

// cell returns a value as a cell that is one line.
func cell(value any) Cell {
	c, ok := value.(Cell)
	if !ok {
		c.Text = fmt.Sprint(value)
	}
	c.Text = unit.OneLine(c.Text)
	return c
}

func width(c Cell) int { return utf8.RuneCountInString(c.Text) }

func widths(rows [][]Cell) (widths []int) {
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(c))
		}
	}
	return widths
}

func (p *Page) paint(c Cell) string {
	if !p.color || c.Style == Plain || c.Text == "" {
		return c.Text
	}
	return "\x1b[" + string(c.Style) + "m" + c.Text + "\x1b[0m"
}
