package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	definitions "github.com/kube-sync/kube-sync/watch/schema"
)

// checking is the state of a check.
type checking struct {
	survey    *watch.Survey
	graph     *unit.Graph
	options   translate.Options
	positions map[unit.Key]watch.Position
	files     []string
	found     []finding
}

func newChecking(survey *watch.Survey, graph *unit.Graph, options translate.Options) *checking {
	c := &checking{survey: survey, graph: graph, options: options, positions: map[unit.Key]watch.Position{}}
	for _, m := range survey.Objects {
		c.positions[m.Key] = m.Position
		c.seen(m.Position.File)
	}
	return c
}

// seen keeps the files in the order in which they were read.
func (c *checking) seen(file string) {
	if !slices.Contains(c.files, file) {
		c.files = append(c.files, file)
	}
}

func (c *checking) all() []finding {
	c.faults()
	c.ignored()
	for _, m := range c.survey.Objects {
		c.parents(m)
		c.classless(m)
	}
	for key, verdicts := range c.graph.AllVerdicts() {
		for _, v := range verdicts {
			if !v.OK {
				c.say(key, v.Reason, v.Message)
			}
		}
	}
	for key, status := range c.graph.Statuses() {
		c.conditions(key, status)
	}
	return ordered(c.found, c.files)
}

func (c *checking) add(p watch.Position, path, text string, warning bool) {
	c.seen(p.File)
	c.found = append(c.found, finding{file: p.File, line: lineOf(c.survey, p, path), text: text, warning: warning})
}

// unknownField is what the decoder of Kubernetes' own kinds says.
var unknownField = regexp.MustCompile(`^(?:unknown|duplicate) field "(.+)"$`)

// wholeObject is the field of errors about an object as a whole.
var wholeObject = (*field.Path)(nil).String()

// faults are what an API server would refuse.
func (c *checking) faults() {
	for _, fault := range c.survey.Faults {
		path, said := "", fault.Err.Error()
		if about, ok := errors.AsType[*field.Error](fault.Err); ok && about.Field == wholeObject {
			said = about.ErrorBody()
		} else if ok {
			path = about.Field
		} else if named := unknownField.FindStringSubmatch(said); named != nil {
			path = named[1]
		}
		text := "Invalid: " + said
		if fault.Key.Kind != "" {
			text = fault.Key.String() + ": " + text
		}
		c.add(fault.Position, path, text, false)
	}
}

// ignored are kinds of API groups that are served, but not by us.
func (c *checking) ignored() {
	for _, i := range c.survey.Ignored {
		kind := schema.FromAPIVersionAndKind(i.APIVersion, i.Kind)
		isIngress := slices.Contains([]string{"Ingress", "IngressClass"}, i.Kind) &&
			slices.Contains([]string{networkingv1.GroupName, "extensions"}, kind.Group)
		if isIngress || definitions.Group(kind.Group) {
			c.add(i.Position, "kind", fmt.Sprintf("%s %s: KindNotServed: objects of %s %s have no effect here", i.Kind, i.Name, i.APIVersion, i.Kind), false)
		}
	}
}

// parents warns of what decides over an object and is not there, so that nothing can
// be said of the object itself.
func (c *checking) parents(m watch.Manifest) {
	for _, missing := range c.graph.Missing(m.Key) {
		if slices.Contains([]unit.Kind{unit.Gateway, unit.GatewayClass, unit.ListenerSet, unit.XListenerSet}, missing.Kind) {
			c.add(m.Position, "", fmt.Sprintf("%s: ParentNotFound: %s is not among the manifests", m.Key, missing), true)
		}
	}
}

// classless tells of Ingresses that are nobody's unless the cluster has a default class. Of
// those that are meant for Kong the translation says so.
func (c *checking) classless(m watch.Manifest) {
	ingress, ok := m.Object.(*networkingv1.Ingress)
	if !ok || ingress.Spec.IngressClassName != nil || ingress.Annotations[class.Annotation] != "" || class.OnlyKongReads(ingress) {
		return
	}
	if _, served := c.graph.Source(m.Key); served {
		return
	}
	c.add(m.Position, "spec", fmt.Sprintf("%s: ClassMissing: without spec.ingressClassName it has an effect only where class %q is the default",
		m.Key, c.options.IngressClass), true)
}

// conditions adds those of a status that are not good. Those that only follow from
// others may be well where the others are.
func (c *checking) conditions(key unit.Key, status unit.Status) {
	if _, ok := status.(unit.Judged); ok {
		return // it follows from the verdicts
	}
	bad := badConditions(c.graph.Object(key), status)
	elsewhere := slices.ContainsFunc(bad, func(b badCondition) bool { return c.elsewhere(key, b.reason, b.message) })
	for _, b := range bad {
		warning := c.elsewhere(key, b.reason, b.message) || b.follows && elsewhere
		c.add(c.positions[key], pathIn(b.message), fmt.Sprintf("%s: %s: %s", key, b.reason, b.message), warning)
	}
}

// say adds what there is to say against an object.
func (c *checking) say(key unit.Key, reason, message string) {
	c.add(c.positions[key], pathIn(message), fmt.Sprintf("%s: %s: %s", key, reason, message), c.elsewhere(key, reason, message))
}

// elsewhere tells whether a verdict is about an object that is not among the manifests
// and may be in the cluster. Verdicts name what they miss.
func (c *checking) elsewhere(key unit.Key, reason, message string) bool {
	if reason == "RefNotPermitted" { // by no ReferenceGrant here
		return true
	}
	words := strings.FieldsFunc(message, func(r rune) bool { return strings.ContainsRune(` /:;,"`, r) })
	return slices.ContainsFunc(c.graph.Missing(key), func(missing unit.Key) bool {
		return missing.Kind != unit.IngressClass && slices.Contains(words, missing.Name)
	})
}
