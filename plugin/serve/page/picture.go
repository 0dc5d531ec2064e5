package page

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kube-sync/kube-sync/plugin/inspect"
)

// The measures of a picture, in pixels.
const (
	boxWidth   = 214
	columnGap  = 48
	rowGap     = 14
	lineHeight = 19
	padding    = 12
	headHeight = 28
	// boxRunes is the number of characters that fit into a line, and monoRunes of a monospace font.
	boxRunes  = 28
	monoRunes = 25
	// shownLines is the number of plugins, hosts and paths of a box, shownEndpoints that of endpoints.
	shownLines     = 6
	shownEndpoints = 8
)

// picture is the way of a route's requests, from the host to the endpoints.
type picture struct {
	Width, Height int
	// Text says the same in words.
	Text  string
	Heads []text
	Boxes []*box
	Edges []edge
}

// text is a line at a place.
type text struct {
	X, Y  int
	Text  string
	Class string
}

// box is a node of the picture. Full is what its lines may cut off.
type box struct {
	X, Y, Width, Height int
	Class, Full         string
	Lines               []text
}

// edge leads from the right of one box to the left of another.
type edge struct {
	Path, Label, Class string
	LabelX, LabelY     int
	from, to           *box
}

// draw returns the picture of a route.
func draw(r inspect.Route) picture {
	p := picture{}
	host := newBox("", hosts(r.Hosts), line("strong", hosts(r.Hosts)), line("small", strings.Join(r.Protocols, ", ")))
	match := newBox("route", strings.Join(conditions(r), "\n"), lines("mono", conditions(r))...)
	plugins := pluginBox(r.Chain)
	columns := [][]*box{{host}, {match}, {plugins}, nil, nil}
	p.connect(host, match, "", "")
	p.connect(match, plugins, "", "")
	for _, b := range r.Backends {
		to := backendBox(b)
		columns[3] = append(columns[3], to)
		label, class := "", ""
		if b.Total > 0 {
			label = fmt.Sprintf("%d of %d", b.Weight, b.Total)
		}
		if b.Status != 0 {
			class = "bad"
		}
		p.connect(plugins, to, label, class)
		for _, e := range endpointBoxes(b) {
			columns[4] = append(columns[4], e)
			p.connect(to, e, "", "")
		}
	}
	if len(r.Backends) == 0 {
		answer := newBox("quiet", "A plugin answers", line("strong", "A plugin answers"))
		columns[3] = []*box{answer}
		p.connect(plugins, answer, "", "")
	}
	p.place(columns, []string{"Host", "Route", "Plugins", "Backend", "Endpoints"})
	p.Text = describe(r)
	return p
}

// conditions are what a route matches, one a line.
func conditions(r inspect.Route) []string {
	all := append([]string{}, r.Paths...)
	if len(all) == 0 {
		all = []string{"all paths"}
	}
	all = append(all, r.Methods...)
	return append(all, r.Others...)
}

func pluginBox(chain []inspect.Plugin) *box {
	if len(chain) == 0 {
		return newBox("quiet", "No plugins", line("small", "no plugins"))
	}
	var names []string
	for _, plugin := range chain {
		names = append(names, plugin.Name)
	}
	return newBox("", strings.Join(names, "\n"), lines("", names)...)
}

func backendBox(b inspect.Backend) *box {
	switch {
	case b.Status != 0:
		return newBox("bad", fmt.Sprint("Answered with ", b.Status), line("strong", fmt.Sprint("Answered with ", b.Status)), line("small", "the backend is unavailable"))
	case b.Object.Name == "":
		return newBox(emptyClass(b), b.Name, line("strong", b.Name), line("small", kindOf(b)))
	}
	return newBox(emptyClass(b), b.Object.String()+"\n"+b.Name, line("strong", b.Object.Namespace+"/"+b.Object.Name), line("small", kindOf(b)))
}

func emptyClass(b inspect.Backend) string {
	if len(b.Endpoints) == 0 {
		return "bad"
	}
	return ""
}

func kindOf(b inspect.Backend) string {
	kind := b.Object.Kind
	if kind == "" {
		kind = "backend"
	}
	if b.Protocol != "" {
		kind += ", " + b.Protocol
	}
	if b.Relay {
		kind += ", relay"
	}
	return kind
}

func endpointBoxes(b inspect.Backend) (boxes []*box) {
	weighted := slices.ContainsFunc(b.Endpoints, func(e inspect.Endpoint) bool { return e.Weight != b.Endpoints[0].Weight })
	for i, e := range b.Endpoints {
		if i == shownEndpoints && len(b.Endpoints) > shownEndpoints+1 {
			more := fmt.Sprintf("and %d more", len(b.Endpoints)-i)
			return append(boxes, newBox("quiet", more, line("small", more)))
		}
		state := e.Health
		if state == "" {
			state = "health unknown"
		}
		switch {
		case e.Weight == 0:
			state += ", gets no new requests"
		case weighted:
			state = fmt.Sprintf("weight %d, %s", e.Weight, state)
		}
		boxes = append(boxes, newBox(healthClass(e.Health), e.Address+"\n"+state, line("mono", e.Address), line("small", state)))
	}
	if len(boxes) == 0 && b.Status == 0 {
		boxes = []*box{newBox("bad", "No endpoints: requests are answered with 503", line("strong", "No endpoints"), line("small", "answered with 503"))}
	}
	return boxes
}

func line(class, content string) text { return text{Class: class, Text: content} }

// lines returns the first values as lines.
func lines(class string, values []string) (all []text) {
	for i, value := range values {
		if i == shownLines-1 && len(values) > shownLines {
			return append(all, line("small", fmt.Sprintf("and %d more", len(values)-i)))
		}
		all = append(all, line(class, value))
	}
	return all
}

func newBox(class, full string, lines ...text) *box {
	for i := range lines {
		fits := boxRunes
		if lines[i].Class == "mono" {
			fits = monoRunes
		}
		lines[i].Text = clip(lines[i].Text, fits)
	}
	return &box{Class: class, Full: full, Lines: lines, Width: boxWidth, Height: len(lines)*lineHeight + 2*padding - 4}
}

// clip returns the start of a text that is too long.
func clip(content string, fits int) string {
	if utf8.RuneCountInString(content) <= fits {
		return content
	}
	return string([]rune(content)[:fits-1]) + "…"
}

func (p *picture) connect(from, to *box, label, class string) {
	p.Edges = append(p.Edges, edge{from: from, to: to, Label: label, Class: class})
}

// place gives all boxes their places: columns are centered.
func (p *picture) place(columns [][]*box, names []string) {
	tallest := 0
	for _, column := range columns {
		tallest = max(tallest, heightOf(column))
	}
	for n, column := range columns {
		if len(column) == 0 {
			continue
		}
		x, y := 1+n*(boxWidth+columnGap), headHeight+(tallest-heightOf(column))/2
		p.Heads = append(p.Heads, text{X: x, Text: names[n]})
		for _, b := range column {
			b.at(x, y)
			y += b.Height + rowGap
			p.Boxes = append(p.Boxes, b)
		}
		p.Width = x + boxWidth + 1
	}
	p.Height = headHeight + tallest + 2
	for i := range p.Edges {
		p.Edges[i].route()
	}
}

func heightOf(column []*box) int {
	height := max(0, len(column)-1) * rowGap
	for _, b := range column {
		height += b.Height
	}
	return height
}

// at moves a box and its lines to a place.
func (b *box) at(x, y int) {
	b.X, b.Y = x, y
	for i := range b.Lines {
		b.Lines[i].X, b.Lines[i].Y = x+padding, y+padding+lineHeight*i+11
	}
}

// route draws the line of an edge.
func (e *edge) route() {
	x, y := e.from.X+e.from.Width, e.from.Y+e.from.Height/2
	toX, toY := e.to.X, e.to.Y+e.to.Height/2
	middle := (x + toX) / 2
	e.Path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x, y, middle, y, middle, toY, toX, toY)
	e.LabelX, e.LabelY = middle, (y+toY)/2-6
}

// describe says in words what the picture shows.
func describe(r inspect.Route) string {
	var said strings.Builder
	fmt.Fprintf(&said, "Requests for %s that match %s", hosts(r.Hosts), strings.Join(conditions(r), " and "))
	if len(r.Chain) > 0 {
		fmt.Fprintf(&said, " pass %s", plural(len(r.Chain), "plugin"))
	} else {
		said.WriteString(" pass no plugin")
	}
	for _, b := range r.Backends {
		switch {
		case b.Status != 0:
			fmt.Fprintf(&said, "; %d of %d are answered with %d", b.Weight, b.Total, b.Status)
		case b.Total > 0:
			fmt.Fprintf(&said, "; %d of %d go to %s with %s", b.Weight, b.Total, b.Name, plural(len(b.Endpoints), "endpoint"))
		default:
			fmt.Fprintf(&said, "; they go to %s with %s", b.Name, plural(len(b.Endpoints), "endpoint"))
		}
	}
	return said.String() + "."
}
