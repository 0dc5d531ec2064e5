package unit

import (
	"iter"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Status is what a controller has to say in the status of one object. It is never
// modified.
type Status interface {
	// Counted is the status with the number of objects that are attached to each
	// section of the object.
	Counted(attached map[string]int) Status
	// Refused is the status when Kong does not take what the object says.
	Refused(message string) Status
	// Merge puts it into the place that it has in the status of an object, which may
	// hold what others wrote. It returns that whole status, and whether it differs
	// from the one that the object has.
	Merge(object Object, now Moment) (status any, differs bool)
	// Diagnostics returns the conditions that are not as they should be, one verdict for each
	// cause. It returns none for a status that follows from the verdicts on the object. What
	// only a running cluster decides, such as an address, is left out.
	Diagnostics() []Verdict
}

// Listing is a Status that names some of the sections to which objects are attached, and does not
// count these.
type Listing interface {
	Status
	// Listed is the status with the first sections, in order: [MostListed] at most.
	Listed(first []string) Status
}

// Judged is a Status that follows from the verdicts on the object.
type Judged interface {
	Status
	Judged(verdicts []Verdict) Status
}

// Moment is what of the time and place a status tells.
type Moment struct {
	Time metav1.Time
	// Addresses are those at which the gateway is reached: IP addresses or host names.
	Addresses []string
	// Denied says why the objects that the object is to own may not be written; empty if
	// they may.
	Denied string
}

// Section is a part of an object that others are attached to, such as a Gateway's
// listener.
type Section struct {
	Object Key
	Name   string
}

// setStatus notes whose status is another with a node's new fragment.
func (g *Graph) setStatus(n *node, old, fragment Fragment) {
	if !reflect.DeepEqual(old.Status, fragment.Status) || !reflect.DeepEqual(old.Objects, fragment.Objects) {
		g.changed.Objects[n.object] = struct{}{}
	}
	if slices.Equal(old.attached, fragment.attached) {
		return
	}
	for _, s := range old.attached {
		g.attach(s, -1)
	}
	for _, s := range fragment.attached {
		g.attach(s, 1)
	}
}

// Status is what the status of an object is to say; nil if that is not ours to tell.
func (g *Graph) Status(key Key) Status {
	n := g.source(key)
	if n == nil || n.fragment.Status == nil {
		return nil
	}
	status := n.fragment.Status
	if judged, ok := status.(Judged); ok {
		status = judged.Judged(g.Verdicts(key))
	}
	if n.budget.tight != "" {
		status = status.Refused(n.budget.tight)
	}
	if listing, ok := status.(Listing); ok {
		return listing.Listed(g.attached[key].listed())
	}
	return status.Counted(g.attached[key].counted())
}

// Owned are the objects of the cluster that the object of the key is to own.
func (g *Graph) Owned(key Key) []Object {
	n := g.source(key)
	if n == nil {
		return nil
	}
	return n.fragment.Objects
}

// Statuses gives the statuses of all objects that have one, in order.
func (g *Graph) Statuses() iter.Seq2[Key, Status] {
	var keys []Key
	for _, n := range g.nodes {
		if n.fragment.Status != nil {
			keys = append(keys, n.object)
		}
	}
	slices.SortFunc(keys, Key.Compare)
	return func(yield func(Key, Status) bool) {
		for _, key := range keys {
			if !yield(key, g.Status(key)) {
				return
			}
		}
	}
}
