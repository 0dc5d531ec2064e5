package input

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
	"github.com/kube-sync/kube-sync/watch/schema"
	"github.com/kube-sync/kube-sync/watch/schema/builtin"
)

// Objects are the objects of manifests, of a cluster, or of both.
type Objects struct {
	// Survey has the manifests, their positions and their faults; nil if none were read.
	Survey *manifest.Survey
	// Snapshot is the cluster; nil if none was read.
	Snapshot *cluster.Snapshot

	objects   map[unit.Key]unit.Object
	positions map[unit.Key]manifest.Position
	fetched   map[unit.Key]bool
}

func newObjects() *Objects {
	return &Objects{objects: map[unit.Key]unit.Object{}, positions: map[unit.Key]manifest.Position{}, fetched: map[unit.Key]bool{}}
}

// Files reads manifests: files, directories with everything beneath them, and "-", the standard
// input. Faults of objects are in the survey. The error joins the errors of files that cannot be
// read; the objects of the other files are returned with it.
func Files(paths []string) (*Objects, error) { return files(paths, admit) }

func files(paths []string, admit manifest.Admit) (*Objects, error) {
	survey, err := manifest.SurveyFiles(paths, kinds.All(), admit)
	o := newObjects()
	o.Survey = survey
	for _, m := range survey.Objects {
		o.objects[m.Key], o.positions[m.Key] = m.Object, m.Position
	}
	return o, err
}

// admit returns an object as an API server would store it, and the reasons for which the server
// would refuse it.
func admit(kind runtimeschema.GroupVersionKind, object []byte) (admitted []byte, refused []error) {
	admitted, refused = schema.Admit(kind, object)
	return admitted, append(refused, builtin.Admit(kind, object)...)
}

// FromSnapshot returns the objects of a cluster. Secrets and ConfigMaps are fetched when a graph
// wants them.
func FromSnapshot(snapshot *cluster.Snapshot) *Objects {
	o := newObjects()
	o.Snapshot = snapshot
	for _, c := range snapshot.Changes {
		o.objects[c.Key] = c.Object
	}
	return o
}

// Position returns where the manifest of an object is; false if the object is from the cluster.
func (o *Objects) Position(key unit.Key) (manifest.Position, bool) {
	p, ok := o.positions[key]
	return p, ok
}

// Get returns an object; nil if it does not exist.
func (o *Objects) Get(key unit.Key) unit.Object { return o.objects[key] }

// Changes returns all objects in a stable order.
func (o *Objects) Changes() []unit.Change {
	changes := make([]unit.Change, 0, len(o.objects))
	for key, object := range o.objects {
		changes = append(changes, unit.Change{Key: key, Object: object})
	}
	slices.SortFunc(changes, func(a, b unit.Change) int { return a.Key.Compare(b.Key) })
	return changes
}

// Graph translates the objects. It fetches the Secrets and ConfigMaps of the cluster that the
// translation wants.
func (o *Objects) Graph(ctx context.Context, options translate.Options) (*unit.Graph, error) {
	graph := translate.New(options)
	graph.Update(o.Changes()...)
	return graph, o.Complete(ctx, graph)
}

// Complete fetches the Secrets and ConfigMaps of the cluster that a graph wants and does not have.
func (o *Objects) Complete(ctx context.Context, graph *unit.Graph) error {
	if o.Snapshot == nil {
		return nil
	}
	for {
		var wanted []unit.Key
		for _, key := range append(graph.Reads(unit.Secret), graph.Reads(unit.ConfigMap)...) {
			if o.objects[key] == nil && !o.fetched[key] {
				o.fetched[key] = true
				wanted = append(wanted, key)
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		found, err := o.Snapshot.Fetch(ctx, wanted)
		if err != nil {
			return err
		}
		for _, c := range found {
			o.objects[c.Key] = c.Object
		}
		graph.Update(found...)
	}
}

// Overlay returns the changes that applying manifests makes; objects that stay the same are not
// among them. An object that exists keeps what the API server sets, and a new one is younger than
// all others. With replace, the manifests are the
// whole: all other objects are deleted, but for those that no one writes manifests of.
func (o *Objects) Overlay(manifests *Objects, replace bool, now time.Time) (changes []unit.Change) {
	byName := map[unit.Kind]kinds.Kind{}
	for _, kind := range kinds.All() {
		byName[kind.Name] = kind
	}
	for _, c := range manifests.Changes() {
		existing := o.objects[c.Key]
		object := applied(existing, c.Object, now)
		if existing == nil || !byName[c.Key.Kind].Same(existing, object) {
			changes = append(changes, unit.Change{Key: c.Key, Object: object})
		}
	}
	if !replace {
		return changes
	}
	for _, c := range o.Changes() {
		if manifests.objects[c.Key] == nil && !unwritten(c) {
			changes = append(changes, unit.Change{Key: c.Key})
		}
	}
	return changes
}

// unwritten reports whether controllers write an object and people do not.
func unwritten(c unit.Change) bool {
	switch c.Key.Kind {
	case unit.EndpointSlice, unit.Namespace, unit.CustomResourceDefinition:
		return true
	}
	return metav1.GetControllerOf(c.Object) != nil
}

// applied returns an object as the API server stores it when a manifest is applied to it.
func applied(existing, written unit.Object, now time.Time) unit.Object {
	object, ok := written.DeepCopyObject().(unit.Object)
	if !ok {
		return written
	}
	if existing == nil {
		if created := object.GetCreationTimestamp(); created.IsZero() {
			object.SetCreationTimestamp(metav1.NewTime(now.Truncate(time.Second)))
		}
		return object
	}
	object.SetUID(existing.GetUID())
	object.SetCreationTimestamp(existing.GetCreationTimestamp())
	object.SetResourceVersion(existing.GetResourceVersion())
	object.SetGeneration(existing.GetGeneration())
	after, isService := object.(*corev1.Service)
	before, wasService := existing.(*corev1.Service)
	if isService && wasService {
		after.Status = before.Status
		if after.Spec.ClusterIP == "" && after.Spec.Type != corev1.ServiceTypeExternalName {
			after.Spec.ClusterIP, after.Spec.ClusterIPs = before.Spec.ClusterIP, before.Spec.ClusterIPs
		}
	}
	return object
}
