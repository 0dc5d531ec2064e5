// Package dashboards generates Grafana's dashboards of the chart. A board is a list of rows of panels;
// what all panels share, and their places, are added here.
package dashboards

import (
	"encoding/json"
	"strings"
)

// selector is what SELECTOR in a query stands for.
const selector = `namespace="$namespace",job="$job",pod=~"$pod"`

// board is a dashboard.
type board struct {
	uid, title, description string
	// metric is one that every gateway has: its labels are the values of the variables.
	metric string
	// more are variables after those of all boards.
	more []variable
	rows []row
}

// variable is a variable of a board, with the query of its values.
type variable struct{ name, label, values string }

type row struct {
	title  string
	panels []panel
}

// panel is a graph, or a number if numbers is set.
type panel struct {
	title, description string
	// unit is one of Grafana's: s, ms, bytes, reqps, percentunit …
	unit string
	// width is in columns, of which there are 24. The default is 12.
	width   int
	stacked bool
	// number makes the panel a single number, orange and red from these values on. Values that
	// decrease are red first.
	number  *levels
	queries []query
}

type levels struct{ orange, red float64 }

// query has SELECTOR for the labels that select the gateway.
type query struct{ expr, legend string }

// Files returns the dashboards by their file names.
func Files() (map[string]string, error) {
	files := map[string]string{}
	for name, b := range map[string]board{"kube-sync.json": kubeSync, "kong.json": kong} {
		content, err := json.MarshalIndent(b.json(), "", "  ")
		if err != nil {
			return nil, err
		}
		files[name] = string(content) + "\n"
	}
	return files, nil
}

type object = map[string]any

var datasource = object{"type": "prometheus", "uid": "${datasource}"}

func (b board) json() object {
	return object{
		"annotations": object{"list": []any{}}, "description": b.description, "editable": true, "graphTooltip": 1, "links": []any{},
		"panels": b.panels(), "refresh": "30s", "schemaVersion": 39, "tags": []string{"kong", "kube-sync"},
		"templating": object{"list": b.variables()}, "time": object{"from": "now-3h", "to": "now"}, "timezone": "",
		"title": b.title, "uid": b.uid, "version": 1,
	}
}

func (b board) variables() []object {
	list := []object{{
		"current": object{}, "includeAll": false, "label": "Data source", "multi": false, "name": "datasource", "options": []any{},
		"query": "prometheus", "refresh": 1, "type": "datasource",
	}}
	one := []variable{
		{"namespace", "Namespace", "label_values(" + b.metric + ", namespace)"},
		{"job", "Gateway", "label_values(" + b.metric + `{namespace="$namespace"}, job)`},
	}
	several := append([]variable{{"pod", "Pod", "label_values(" + b.metric + `{namespace="$namespace",job="$job"}, pod)`}}, b.more...)
	for _, v := range one {
		list = append(list, v.json(object{}))
	}
	for _, v := range several {
		all := v.json(object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}})
		all["includeAll"], all["multi"], all["allValue"] = true, true, ".*"
		list = append(list, all)
	}
	return list
}

func (v variable) json(current object) object {
	return object{
		"current": current, "datasource": datasource, "definition": v.values, "includeAll": false, "label": v.label, "multi": false, "name": v.name,
		"options": []any{}, "query": object{"query": v.values, "refId": v.name}, "refresh": 2, "sort": 1, "type": "query",
	}
}

const (
	columns      = 24
	numberHeight = 4
	graphHeight  = 8
)

// panels places the panels of each row from left to right, and as many below each other as needed.
func (b board) panels() []object {
	var all []object
	y := 0
	add := func(p object, x, width, height int) {
		p["id"] = len(all) + 1
		p["gridPos"] = object{"x": x, "y": y, "w": width, "h": height}
		all = append(all, p)
	}
	for _, r := range b.rows {
		add(object{"collapsed": false, "panels": []any{}, "title": r.title, "type": "row"}, 0, columns, 1)
		y++
		x, height := 0, 0
		for _, p := range r.panels {
			made, width, own := p.json()
			if x+width > columns {
				x, y, height = 0, y+height, 0
			}
			add(made, x, width, own)
			x, height = x+width, max(height, own)
		}
		y += height
	}
	return all
}

func (p panel) json() (made object, width, height int) {
	width, height = p.width, graphHeight
	if width == 0 {
		width = columns / 2
	}
	made = p.graph()
	if p.number != nil {
		made, height = p.stat(), numberHeight
	}
	targets := make([]object, len(p.queries))
	for i, q := range p.queries {
		targets[i] = object{
			"datasource": datasource, "editorMode": "code", "expr": strings.ReplaceAll(q.expr, "SELECTOR", selector),
			"legendFormat": q.legend, "range": true, "refId": string(rune('A' + i)),
		}
	}
	made["title"], made["description"], made["datasource"], made["targets"] = p.title, p.description, datasource, targets
	return made, width, height
}

func (p panel) graph() object {
	fill, mode := 5, "none"
	if p.stacked {
		fill, mode = 20, "normal"
	}
	return object{
		"type": "timeseries",
		"fieldConfig": object{"overrides": []any{}, "defaults": object{
			"color": object{"mode": "palette-classic"}, "mappings": []any{}, "min": 0, "unit": p.unit, "thresholds": steps(nil),
			"custom": object{
				"drawStyle": "line", "fillOpacity": fill, "lineWidth": 1, "showPoints": "never", "spanNulls": false,
				"stacking": object{"group": "A", "mode": mode},
			},
		}},
		"options": object{
			"legend":  object{"calcs": []string{"mean", "max"}, "displayMode": "table", "placement": "bottom", "showLegend": true},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		},
	}
}

func (p panel) stat() object {
	return object{
		"type": "stat",
		"fieldConfig": object{"overrides": []any{}, "defaults": object{
			"color": object{"mode": "thresholds"}, "mappings": []any{}, "unit": p.unit, "thresholds": steps(p.number),
		}},
		"options": object{
			"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
			"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		},
	}
}

// steps returns the colors of a number. Without levels it is always green; with descending ones it is
// red below the second.
func steps(l *levels) object {
	step := func(color string, from any) object { return object{"color": color, "value": from} }
	list := []object{step("green", nil)}
	switch {
	case l == nil || *l == levels{}:
	case l.red < l.orange:
		list = []object{step("red", nil), step("orange", l.red), step("green", l.orange)}
	default:
		list = append(list, step("orange", l.orange), step("red", l.red))
	}
	return object{"mode": "absolute", "steps": list}
}

// rate returns the increase of a counter a second. labels follow SELECTOR, with a comma in front.
func rate(metric, labels string) string {
	return "rate(" + metric + "{SELECTOR" + labels + "}[$__rate_interval])"
}

// sumRate returns rate summed by labels.
func sumRate(by, metric, labels string) string {
	if by == "" {
		return "sum(" + rate(metric, labels) + ")"
	}
	return "sum by (" + by + ") (" + rate(metric, labels) + ")"
}

// quantile returns a quantile of a histogram, such as "0.99", by labels.
func quantile(q, by, metric, labels string) string {
	return "histogram_quantile(" + q + ", " + sumRate(strings.Trim("le, "+by, ", "), metric+"_bucket", labels) + ")"
}
