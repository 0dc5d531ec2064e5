package cli

import (
	"errors"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubernetes "k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/manifest"
	definitions "github.com/kube-sync/kube-sync/watch/schema"
)

// checker collects the findings of a check.
type checker struct {
	survey  *manifest.Survey
	lines   lineFinder
	graph   *unit.Graph
	options translate.Options
	// complete is set if no other objects are in the cluster.
	complete  bool
	positions map[unit.Key]manifest.Position
	files     []string
	// refused are the fields that an API server would refuse.
	refused map[objectField]bool
	// objects are those that are checked. amongOthers is set if the graph has further ones, on
	// which nothing is said.
	objects     []manifest.Manifest
	amongOthers bool
	// snapshot is the cluster that is checked; nil if manifests are.
	snapshot *cluster.Snapshot
	found    []finding
}

// objectField is a field of an object.
type objectField struct {
	object unit.Key
	path   field.Path
}

func newChecker(survey *manifest.Survey, graph *unit.Graph, options translate.Options, complete bool) *checker {
	c := &checker{survey: survey, lines: lineFinder{survey: survey}, graph: graph, options: options, complete: complete, positions: map[unit.Key]manifest.Position{}, refused: map[objectField]bool{}, objects: survey.Objects}
	for _, m := range survey.Objects {
		c.positions[m.Key] = m.Position
		c.noteFile(m.Position.File)
	}
	return c
}

// noteFile keeps the files in the order in which they were read.
func (c *checker) noteFile(file string) {
	if !slices.Contains(c.files, file) {
		c.files = append(c.files, file)
	}
}

func (c *checker) all() []finding {
	c.faults()
	c.ignored()
	for _, m := range c.objects {
		c.missingParents(m)
		c.classless(m)
		if c.snapshot != nil {
			c.addVerdicts(m.Key, c.snapshot.Verdicts(m.Key))
		}
	}
	for key, verdicts := range c.graph.AllVerdicts() {
		c.addVerdicts(key, verdicts)
	}
	for key, status := range c.graph.Statuses() {
		c.addVerdicts(key, status.Diagnostics())
	}
	return sorted(c.found, c.files)
}

func (c *checker) add(p manifest.Position, path field.Path, text string, warning bool) {
	c.noteFile(p.File)
	c.found = append(c.found, finding{file: p.File, line: c.lines.lineOf(p, path), text: text, warning: warning})
}

// located is an error of decoding with the path of the field.
type located interface {
	error
	FieldPath() string
}

// wholeObject is the field of errors about an object as a whole.
var wholeObject = (*kubernetes.Path)(nil).String()

// faults adds what an API server would reject.
func (c *checker) faults() {
	for _, fault := range c.survey.Faults {
		if c.ownHost(fault) {
			continue
		}
		path, said := field.Path(""), fault.Err.Error()
		if about, ok := errors.AsType[*kubernetes.Error](fault.Err); ok && about.Field == wholeObject {
			said = about.ErrorBody()
		} else if ok {
			path = field.Path(about.Field)
		} else if about, ok := errors.AsType[located](fault.Err); ok {
			path = field.Path(about.FieldPath())
		}
		text := "Invalid: " + said
		if fault.Key.Kind != "" {
			text = fault.Key.String() + ": " + text
		}
		c.refused[objectField{fault.Key, path}] = path != ""
		c.add(fault.Position, path, text, false)
	}
}

// ignored adds kinds of API groups that kube-sync reads, in versions that it does not.
func (c *checker) ignored() {
	for _, i := range c.survey.Ignored {
		kind := schema.FromAPIVersionAndKind(i.APIVersion, i.Kind)
		isIngress := slices.Contains([]string{"Ingress", "IngressClass"}, i.Kind) &&
			slices.Contains([]string{networkingv1.GroupName, "extensions"}, kind.Group)
		if isIngress || definitions.Group(kind.Group) {
			c.add(i.Position, "kind", fmt.Sprintf("%s %s: KindNotServed: objects of %s %s have no effect here", i.Kind, i.Name, i.APIVersion, i.Kind), false)
		}
	}
}

// missingParents adds a warning if the manifests lack an object that decides about another one,
// such as the Gateway of a route: nothing can be said about the latter.
func (c *checker) missingParents(m manifest.Manifest) {
	for _, v := range translate.MissingParents(c.graph, m.Key) {
		c.add(m.Position, v.Field, fmt.Sprintf("%s: %s: %s", m.Key, v.Reason, v.Message), !c.complete)
	}
}

// classless adds a warning for Ingresses that have an effect only if the cluster has a default
// class. The translation reports those that only Kong can be meant to read.
func (c *checker) classless(m manifest.Manifest) {
	ingress, ok := m.Object.(*networkingv1.Ingress)
	if !ok || ingress.Spec.IngressClassName != nil || ingress.Annotations[class.Annotation] != "" || class.OnlyKongReads(ingress) {
		return
	}
	if _, served := c.graph.Source(m.Key); served {
		return
	}
	c.add(m.Position, "spec", fmt.Sprintf("%s: ClassMissing: without spec.ingressClassName, the Ingress takes effect only if %q is the default class",
		m.Key, c.options.IngressClass), !c.complete)
}

// addVerdicts adds the verdicts on an object, except those on fields that an API server would refuse.
// Verdicts that follow from a missing object are warnings if that object may be in the cluster.
func (c *checker) addVerdicts(key unit.Key, verdicts []unit.Verdict) {
	if _, checked := c.positions[key]; c.amongOthers && !checked {
		return
	}
	elsewhere := slices.ContainsFunc(verdicts, mayBeElsewhere)
	for _, v := range verdicts {
		if !v.OK && !c.refused[objectField{key, v.Field}] {
			warning := !c.complete && (mayBeElsewhere(v) || v.Follows && elsewhere) || slices.Contains(advice, v.Reason)
			c.add(c.positions[key], v.Field, fmt.Sprintf("%s: %s: %s", key, v.Reason, v.Message), warning)
		}
	}
}

// advice are the reasons of verdicts on what may be there on purpose, such as annotations that
// another ingress controller reads while an Ingress moves from one to the other.
var advice = []string{condition.ReasonForeignAnnotation, condition.ReasonLiteralPath}

// mayBeElsewhere reports whether a verdict is about an object that is missing from the manifests
// and may be in the cluster.
func mayBeElsewhere(v unit.Verdict) bool { return !v.OK && v.Missing != (unit.Key{}) }
