package cluster

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/pager"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// listers is how many kinds are listed at once.
const listers = 8

// Snapshot is the state of a cluster at one time: the objects that [Cluster] would deliver, without
// a watch. Secrets and ConfigMaps are fetched when they are wanted.
type Snapshot struct {
	// Changes are the objects in a stable order.
	Changes []unit.Change
	// LeftOut are the cluster-scoped resources that may not be listed, in a snapshot of some
	// namespaces only.
	LeftOut []Right

	clients *Clients
	kinds   map[unit.Kind]kinds.Kind
	readers []*informer
}

// Right is what may not be read.
type Right struct {
	Verb      string
	Resource  schema.GroupResource
	Namespace string // empty for all namespaces and for cluster-scoped resources
	Name      string // empty for all objects
}

// String returns the form for messages: "list ingresses.networking.k8s.io in namespace shop".
func (r Right) String() string {
	said := r.Verb + " " + r.Resource.String()
	if r.Name != "" {
		said += " " + r.Name
	}
	if r.Namespace != "" {
		said += " in namespace " + r.Namespace
	}
	return said
}

// MissingRights is the error for everything that may not be read.
type MissingRights []Right

func (m MissingRights) Error() string {
	said := make([]string, len(m))
	for i, right := range m {
		said[i] = right.String()
	}
	return "the API server does not permit these credentials to " + strings.Join(said, ", to ") +
		"; grant the permissions, or use the credentials of someone who has them"
}

// TakeSnapshot lists all kinds once. The error is [MissingRights] if only rights are missing.
func TakeSnapshot(ctx context.Context, options Options) (*Snapshot, error) {
	options = options.withDefaults()
	clients := options.Clients
	if clients == nil {
		var err error
		if clients, err = newClients(options.RESTConfig, options.QPS, options.Burst, newContact(options.Log)); err != nil {
			return nil, err
		}
	}
	s := &Snapshot{clients: clients, kinds: map[unit.Kind]kinds.Kind{}}
	served, err := s.discover(ctx, options.Kinds)
	if err != nil {
		return nil, fmt.Errorf("the kinds that the API server serves: %w", err)
	}
	for _, kind := range options.Kinds {
		s.kinds[kind.Name] = kind
		resource := kind.Resource
		if kind.Custom {
			resource = kind.In(served[kind.Name])
		}
		if kind.Fetch != nil || resource.Version == "" {
			continue
		}
		for _, scope := range scopes(options.Namespaces, kind) {
			scope.optional = len(options.Namespaces) > 0 && !kind.Namespaced
			s.readers = append(s.readers, &informer{kind: kind, resource: resource, scope: scope, log: options.Log})
		}
	}
	return s, s.list(ctx)
}

// discover returns the version in which each custom kind is read.
func (s *Snapshot) discover(ctx context.Context, of []kinds.Kind) (map[unit.Kind]string, error) {
	custom := slices.DeleteFunc(slices.Clone(of), func(k kinds.Kind) bool { return !k.Custom })
	return newDiscovery(s.clients).served(ctx, custom)
}

// list lists what all readers read, and the definitions.
func (s *Snapshot) list(ctx context.Context) error {
	found := make([][]unit.Change, len(s.readers)+1)
	var mu sync.Mutex
	var missing MissingRights
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listers)
	for i, reader := range s.readers {
		group.Go(func() (err error) {
			found[i], err = s.read(ctx, reader)
			right := Right{Verb: "list", Resource: reader.resource.GroupResource(), Namespace: reader.scope.namespace, Name: reader.scope.name}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case !apierrors.IsForbidden(err) && err != nil:
				return fmt.Errorf("%v: %w", right, err)
			case err != nil && reader.scope.optional:
				s.LeftOut = append(s.LeftOut, right)
			case err != nil:
				missing = append(missing, right)
			}
			return nil
		})
	}
	group.Go(func() (err error) {
		found[len(s.readers)], err = s.definitions(ctx)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	s.Changes = slices.Concat(found...)
	slices.SortFunc(s.Changes, func(a, b unit.Change) int { return a.Key.Compare(b.Key) })
	byText := func(a, b Right) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(s.LeftOut, byText)
	if len(missing) > 0 {
		slices.SortFunc(missing, byText)
		return missing
	}
	return nil
}

// read returns the objects of a kind in a scope.
func (s *Snapshot) read(ctx context.Context, by *informer) (found []unit.Change, err error) {
	var options metav1.ListOptions
	by.tweak(&options)
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return s.page(ctx, by, options)
	})
	err = pages.EachListItem(ctx, options, func(received runtime.Object) error {
		cached, err := by.transform(received)
		if object, ok := cached.(unit.Object); ok {
			found = append(found, unit.Change{Key: by.kind.Key(object), Object: object})
		}
		return err
	})
	return found, err
}

// page returns a page of a list: of protobuf for the core kinds, of JSON for the custom ones.
func (s *Snapshot) page(ctx context.Context, by *informer, options metav1.ListOptions) (runtime.Object, error) {
	namespace := by.scope.namespace
	switch by.kind.Name {
	case unit.Ingress:
		return s.clients.Core.NetworkingV1().Ingresses(namespace).List(ctx, options)
	case unit.IngressClass:
		return s.clients.Core.NetworkingV1().IngressClasses().List(ctx, options)
	case unit.Service:
		return s.clients.Core.CoreV1().Services(namespace).List(ctx, options)
	case unit.EndpointSlice:
		return s.clients.Core.DiscoveryV1().EndpointSlices(namespace).List(ctx, options)
	case unit.Namespace:
		return s.clients.Core.CoreV1().Namespaces().List(ctx, options)
	}
	return s.clients.Dynamic.Resource(by.resource).Namespace(namespace).List(ctx, options)
}

// definitions returns the definitions of our kinds that name their bundle; none if they may not be
// listed.
func (s *Snapshot) definitions(ctx context.Context) (found []unit.Change, err error) {
	all, err := listDefinitions(ctx, s.clients, maps.Values(s.kinds))
	for _, definition := range all {
		if len(definition.Annotations) > 0 {
			found = append(found, unit.Change{Key: unit.CustomResourceDefinition.Key("", definition.Name), Object: definition})
		}
	}
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	return found, err
}

// listDefinitions returns the definitions of custom kinds.
func listDefinitions(ctx context.Context, clients *Clients, of iter.Seq[kinds.Kind]) (found []*metav1.PartialObjectMetadata, err error) {
	ours := map[string]bool{}
	for kind := range of {
		if kind.Custom {
			ours[kind.Resource.GroupResource().String()] = true
		}
	}
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return clients.Metadata.Resource(customResourceDefinitions).List(ctx, options)
	})
	err = pages.EachListItem(ctx, metav1.ListOptions{}, func(received runtime.Object) error {
		kept, err := bundleOnly(received)
		if definition, ok := kept.(*metav1.PartialObjectMetadata); ok && ours[definition.Name] {
			found = append(found, definition)
		}
		return err
	})
	return found, err
}

// Kinds returns the state of each custom kind in a cluster, and by the name of its definition the
// release of the bundle that it is from. The states are right without bundles, too, if the
// definitions may not be listed.
func Kinds(ctx context.Context, clients *Clients) (states []KindState, bundles map[string]string, err error) {
	custom := slices.DeleteFunc(kinds.All(), func(k kinds.Kind) bool { return !k.Custom })
	served, err := newDiscovery(clients).served(ctx, custom)
	if err != nil {
		return nil, nil, err
	}
	definitions, err := listDefinitions(ctx, clients, slices.Values(custom))
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, nil, err
	}
	bundles = map[string]string{}
	for _, definition := range definitions {
		bundles[definition.Name] = definition.Annotations[consts.BundleVersionAnnotation]
	}
	for _, kind := range custom {
		_, defined := bundles[kind.Resource.GroupResource().String()]
		states = append(states, stateOf(kind, served[kind.Name], defined))
	}
	return states, bundles, nil
}

// Fetch returns the wanted objects that exist, such as Secrets. The error is [MissingRights] if only
// rights are missing.
func (s *Snapshot) Fetch(ctx context.Context, wanted []unit.Key) ([]unit.Change, error) {
	found := make([]unit.Change, len(wanted))
	var mu sync.Mutex
	var missing MissingRights
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listers)
	for i, key := range wanted {
		kind := s.kinds[key.Kind]
		if kind.Fetch == nil {
			continue
		}
		group.Go(func() error {
			object, err := kind.Fetch(ctx, s.clients.Core, key.Namespace, key.Name)
			switch {
			case apierrors.IsForbidden(err):
				mu.Lock()
				defer mu.Unlock()
				missing = append(missing, Right{Verb: "get", Resource: kind.Resource.GroupResource(), Namespace: key.Namespace, Name: key.Name})
			case apierrors.IsNotFound(err):
			case err != nil:
				return fmt.Errorf("%v: %w", key, err)
			case !excluded(object):
				kind.Trim(object)
				found[i] = unit.Change{Key: key, Object: object}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(c unit.Change) bool { return c.Object == nil })
	if len(missing) > 0 {
		slices.SortFunc(missing, func(a, b Right) int { return strings.Compare(a.String(), b.String()) })
		return found, missing
	}
	return found, nil
}

// excluded reports whether the field selector of Secrets excludes an object.
func excluded(object unit.Object) bool {
	secret, ok := object.(*corev1.Secret)
	return ok && secret.Type == "helm.sh/release.v1"
}

// Verdicts returns a warning for each field of an object that is not read.
func (s *Snapshot) Verdicts(key unit.Key) (verdicts []unit.Verdict) {
	for _, reader := range s.readers {
		if reader.kind.Name == key.Kind {
			verdicts = append(verdicts, ignoredVerdicts(key, reader.ignored.of(key))...)
		}
	}
	return verdicts
}
