package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The plot in pixels: its size, and where the axes are.
const (
	plotWidth, plotHeight = 860, 480
	plotLeft, plotRight   = 80, 600
	plotTop, plotBottom   = 50, 420
)

// plotted are the kinds in the plot, with their colors. They cost Kong differently.
var plotted = []struct{ kind, color string }{
	{"new route", "#1f77b4"},
	{"pod added", "#d62728"},
	{"rotated certificate", "#2ca02c"},
}

// plot draws medians until effective against the number of routes, both on logarithmic scales.
func (r *Results) plot() string {
	s := newScales(r)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	label(&b, plotLeft, 28, "start", "Median time from the write to the Kubernetes API until all workers answer accordingly")
	s.axes(&b, r.Options.Sizes)
	row := 0
	for _, p := range plotted {
		for _, way := range []Way{Full, Delta} {
			s.curve(&b, r, p.kind, p.color, way)
			s.legend(&b, row, p.kind, p.color, way)
			row++
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// scales convert routes and times to pixels.
type scales struct{ fewest, most, quickest, slowest float64 }

func newScales(r *Results) scales {
	s := scales{fewest: float64(r.Options.Sizes[0]), most: float64(slices.Max(r.Options.Sizes)), quickest: 10, slowest: 100}
	for _, p := range plotted {
		for _, routes := range r.Options.Sizes {
			for _, way := range []Way{Full, Delta} {
				m := medianOf(r, routes, way, p.kind)
				for m > s.slowest {
					s.slowest *= 10
				}
				for m > 0 && m < s.quickest {
					s.quickest /= 10
				}
			}
		}
	}
	return s
}

// medianOf returns a median in milliseconds, or 0 if there is none.
func medianOf(r *Results, routes int, way Way, kind string) float64 {
	return float64(of(r.samples(routes, way, false, kind), effective).P50) / float64(time.Millisecond)
}

func (s scales) x(routes float64) float64 {
	if s.most == s.fewest {
		return (plotLeft + plotRight) / 2
	}
	const margin = 30
	return plotLeft + margin + (plotRight-plotLeft-2*margin)*math.Log(routes/s.fewest)/math.Log(s.most/s.fewest)
}

func (s scales) y(milliseconds float64) float64 {
	return plotBottom - (plotBottom-plotTop)*math.Log(milliseconds/s.quickest)/math.Log(s.slowest/s.quickest)
}

func (s scales) axes(b *strings.Builder, sizes []int) {
	s.grid(b, sizes, "routes, with 5 endpoints each", func(at float64) string {
		if at >= 1000 {
			return fmt.Sprintf("%g s", at/1000)
		}
		return fmt.Sprintf("%g ms", at)
	})
}

// grid draws the axes, with a text for each value of the vertical one.
func (s scales) grid(b *strings.Builder, sizes []int, below string, text func(at float64) string) {
	for at := s.quickest; at <= s.slowest*1.01; at *= 10 {
		line(b, plotLeft, s.y(at), plotRight, s.y(at), "#ddd", "")
		label(b, plotLeft-8, s.y(at)+4, "end", text(at))
	}
	for _, n := range sizes {
		line(b, s.x(float64(n)), plotTop, s.x(float64(n)), plotBottom, "#eee", "")
		label(b, s.x(float64(n)), plotBottom+20, "middle", thousands(int64(n)))
	}
	label(b, (plotLeft+plotRight)/2, plotBottom+42, "middle", below)
	line(b, plotLeft, plotTop, plotLeft, plotBottom, "#666", "")
	line(b, plotLeft, plotBottom, plotRight, plotBottom, "#666", "")
}

func (s scales) curve(b *strings.Builder, r *Results, kind, color string, way Way) {
	var points []point
	for _, routes := range r.Options.Sizes {
		if m := medianOf(r, routes, way, kind); m > 0 {
			points = append(points, point{float64(routes), m})
		}
	}
	s.polyline(b, points, color, way == Full)
}

// point is a number of routes and a value of the vertical axis.
type point struct{ routes, value float64 }

func (s scales) polyline(b *strings.Builder, points []point, color string, dashed bool) {
	var at []string
	for _, p := range points {
		x, y := s.x(p.routes), s.y(p.value)
		at = append(at, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x, y, color)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.Join(at, " "), color, dashes(dashed))
}

func (s scales) legend(b *strings.Builder, row int, kind, color string, way Way) {
	s.key(b, row, fmt.Sprintf("%s, %s", kind, way), color, way == Full)
}

// key adds a row to the legend.
func (s scales) key(b *strings.Builder, row int, text, color string, dashed bool) {
	const left, height, length = plotRight + 30, 26, 36
	y := float64(plotTop + 20 + row*height)
	line(b, left, y, left+length, y, color, dashes(dashed))
	label(b, left+length+10, y+4, "start", text)
}

func dashes(dashed bool) string {
	if dashed {
		return ` stroke-dasharray="7 5"`
	}
	return ""
}

func line(b *strings.Builder, x1, y1, x2, y2 float64, color, more string) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="1.5"%s/>`+"\n", x1, y1, x2, y2, color, more)
}

func label(b *strings.Builder, x, y float64, anchor, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="#333">%s</text>`+"\n", x, y, anchor, text)
}
