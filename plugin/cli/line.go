package cli

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-sync/kube-sync/watch"
)

// lineOf finds the line of a field of an object, such as spec.rules[0].host; that of
// the innermost part of the path that there is.
func lineOf(survey *watch.Survey, p watch.Position, path string) int {
	if p.Item == 0 && path == "" {
		return p.Line
	}
	written, first := survey.Text(p)
	var document yaml.Node
	if yaml.Unmarshal(written, &document) != nil || len(document.Content) == 0 {
		return p.Line
	}
	node, line := document.Content[0], p.Line
	if p.Item > 0 {
		path = "items[" + strconv.Itoa(p.Item-1) + "]." + path
	}
	for _, step := range steps.FindAllString(path, -1) {
		next, at := child(node, strings.Trim(step, "[]"))
		if next == nil {
			break
		}
		node, line = next, first+at-1
	}
	return line
}

// steps are the parts of a path: names, and places or names in brackets.
var steps = regexp.MustCompile(`\[[^\]]*\]|[^.\[\]]+`)

// child is a part of a node, and its line: that of the name if it has one.
func child(node *yaml.Node, step string) (*yaml.Node, int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if n, err := strconv.Atoi(step); err == nil && n >= 0 && n < len(node.Content) {
			return node.Content[n], node.Content[n].Line
		}
	}
	return nil, 0
}

// How verdicts name the part of an object that they are about.
var (
	annotationNamed = regexp.MustCompile(`\bannotation ([a-z.]+/\S+?):? `)
	fieldNamed      = regexp.MustCompile(`\b(spec(?:\.[A-Za-z]+)+)`)
	ruleNamed       = regexp.MustCompile(`\brule (\d+)(?: (path|match) (\d+))?`)
)

// pathIn is the path of the field that a verdict is about; empty if it does not say.
func pathIn(message string) string {
	if named := annotationNamed.FindStringSubmatch(message); named != nil {
		return "metadata.annotations[" + named[1] + "]"
	}
	named := ruleNamed.FindStringSubmatch(message)
	if named == nil {
		return fieldNamed.FindString(message)
	}
	path := "spec.rules[" + named[1] + "]"
	switch named[2] {
	case "path":
		return path + ".http.paths[" + named[3] + "]"
	case "match":
		return path + ".matches[" + named[3] + "]"
	}
	return path
}
