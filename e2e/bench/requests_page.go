package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// page returns the page of the costs of requests.
func (r *Requests) page() string {
	d := &document{}
	d.line("# What a request costs, by the number of routes")
	d.line("")
	d.line("Made by `make bench-requests`, of [%s](%s). Two Kongs with two workers each get the same configuration, as kube-sync makes it", requestsData, requestsData)
	d.line("of so many Ingresses and Services. One of them has the plugin kube-sync-router, an index in front of Kong's router; the other")
	d.line("has Kong's router alone. They take turns in each of %d rounds of %s. Every request has a path of its own, so that Kong does not", len(r.Shapes[0].Sizes[0].Indexed), r.For)
	d.line("find its route in the match cache, and goes to a random route. Processor time is that of Kong's workers for a request, in")
	d.line("microseconds; it includes proxying to the route's own Service. × compares it with the smallest number of routes. All figures are")
	d.line("medians of the rounds. %d connections send requests one after the other, from the same machine, so rates say little by themselves.", requestConnections)
	d.line("")
	d.line("![Processor time of a request by the number of routes](%s)", requestsPlot)
	d.line("")
	d.conditions(r.Machine, r.Begun, r.Ended)
	for _, s := range r.Shapes {
		d.line("")
		d.line("## %s%s", strings.ToUpper(s.Name[:1]), s.Name[1:])
		d.table("routes", "index µs", "×", "Kong alone µs", "×", "index requests/s", "Kong alone requests/s", "index p99 ms", "Kong alone p99 ms", "index MiB", "Kong alone MiB")
		for _, c := range s.Sizes {
			d.row(thousands(int64(c.Routes)),
				fmt.Sprintf("%.0f", microseconds(c.Indexed)), fmt.Sprintf("%.2f", microseconds(c.Indexed)/microseconds(s.Sizes[0].Indexed)),
				fmt.Sprintf("%.0f", microseconds(c.Stock)), fmt.Sprintf("%.2f", microseconds(c.Stock)/microseconds(s.Sizes[0].Stock)),
				thousands(int64(medianRound(c.Indexed, rate))), thousands(int64(medianRound(c.Stock, rate))),
				fmt.Sprintf("%.1f", medianRound(c.Indexed, p99)), fmt.Sprintf("%.1f", medianRound(c.Stock, p99)),
				mib(c.IndexedMemory), mib(c.StockMemory))
		}
	}
	return d.text.String()
}

func rate(r RequestRound) float64 { return r.Rate }
func p99(r RequestRound) float64  { return milliseconds(r.Latency.P99) }

// microseconds returns the median processor time of a request.
func microseconds(rounds []RequestRound) float64 {
	return medianRound(rounds, func(r RequestRound) float64 { return float64(r.Kong) / float64(time.Microsecond) })
}

// plot draws the processor time of the first two shapes against the number of routes.
func (r *Requests) plot() string {
	plotted := r.Shapes[:2]
	s := scales{fewest: float64(r.Sizes[0]), most: float64(slices.Max(r.Sizes)), quickest: 10, slowest: 100}
	for _, shape := range plotted {
		for _, c := range shape.Sizes {
			for max(microseconds(c.Stock), microseconds(c.Indexed)) > s.slowest {
				s.slowest *= 10
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	label(&b, plotLeft, 28, "start", "Kong's processor time for a request whose route is not in the match cache")
	s.grid(&b, r.Sizes, "routes", func(at float64) string { return fmt.Sprintf("%g µs", at) })
	for i, shape := range plotted {
		color := []string{"#1f77b4", "#d62728"}[i]
		for j, stock := range []bool{true, false} {
			var points []point
			for _, c := range shape.Sizes {
				rounds := c.Indexed
				if stock {
					rounds = c.Stock
				}
				points = append(points, point{float64(c.Routes), microseconds(rounds)})
			}
			name := shape.Name + map[bool]string{true: ", Kong's router", false: ", index"}[stock]
			s.polyline(&b, points, color, stock)
			s.key(&b, 2*i+j, name, color, stock)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}
