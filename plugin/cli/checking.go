package cli

import (
	"errors"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubernetes "k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/manifest"
	definitions "github.com/kube-sync/kube-sync/watch/schema"
)

// checking is the state of a check.
type checking struct {
	survey    *manifest.Survey
	graph     *unit.Graph
	options   translate.Options
	positions map[unit.Key]manifest.Position
	files     []string
	found     []finding
}

func newChecking(survey *manifest.Survey, graph *unit.Graph, options translate.Options) *checking {
	c := &checking{survey: survey, graph: graph, options: options, positions: map[unit.Key]manifest.Position{}}
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
		c.against(key, verdicts)
	}
	for key, status := range c.graph.Statuses() {
		c.against(key, status.Diagnostics())
	}
	return ordered(c.found, c.files)
}

func (c *checking) add(p manifest.Position, path field.Path, text string, warning bool) {
	c.seen(p.File)
	c.found = append(c.found, finding{file: p.File, line: lineOf(c.survey, p, path), text: text, warning: warning})
}

// wholeObject is the field of errors about an object as a whole.
var wholeObject = (*kubernetes.Path)(nil).String()

// faults are what an API server would refuse.
func (c *checking) faults() {
	for _, fault := range c.survey.Faults {
		path, said := field.Path(""), fault.Err.Error()
		if about, ok := errors.AsType[*kubernetes.Error](fault.Err); ok && about.Field == wholeObject {
			said = about.ErrorBody()
		} else if ok {
			path = field.Path(about.Field)
		} else if unknown, ok := errors.AsType[kjson.FieldError](fault.Err); ok {
			path = field.Path(unknown.FieldPath())
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
func (c *checking) parents(m manifest.Manifest) {
	for _, missing := range c.graph.Missing(m.Key) {
		if slices.Contains([]unit.Kind{unit.Gateway, unit.GatewayClass, unit.ListenerSet, unit.XListenerSet}, missing.Kind) {
			c.add(m.Position, parentField(m.Key.Kind), fmt.Sprintf("%s: ParentNotFound: %s is not among the manifests", m.Key, missing), true)
		}
	}
}

// parentField is the path at which objects of a kind name what decides over them.
func parentField(kind unit.Kind) field.Path {
	switch kind {
	case unit.Gateway:
		return "spec.gatewayClassName"
	case unit.ListenerSet, unit.XListenerSet:
		return "spec.parentRef"
	}
	return "spec.parentRefs"
}

// classless tells of Ingresses that are nobody's unless the cluster has a default class. Of
// those that are meant for Kong the translation says so.
func (c *checking) classless(m manifest.Manifest) {
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

// against adds the verdicts against an object. What only follows from others may be well where
// the others are.
func (c *checking) against(key unit.Key, verdicts []unit.Verdict) {
	elsewhere := slices.ContainsFunc(verdicts, mayBeElsewhere)
	for _, v := range verdicts {
		if !v.OK {
			warning := mayBeElsewhere(v) || v.Follows && elsewhere
			c.add(c.positions[key], v.Field, fmt.Sprintf("%s: %s: %s", key, v.Reason, v.Message), warning)
		}
	}
}

// mayBeElsewhere reports whether a verdict is about an object that is not among the manifests
// and may be in the cluster.
func mayBeElsewhere(v unit.Verdict) bool { return !v.OK && v.Missing != (unit.Key{}) }
