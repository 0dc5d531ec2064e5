package watch

import (
	"log/slog"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Reading says whether the objects of a custom kind are read.
type Reading struct {
	Kind     unit.Kind
	Resource schema.GroupResource
	State    ReadingState
	// Version is the API version that is served and would be read; "" if there is none.
	Version string
}

// ReadingState is what becomes of the objects of a custom kind.
type ReadingState string

const (
	// Read objects take effect.
	Read ReadingState = "read"
	// Undefined kinds have no definition in the cluster that serves them.
	Undefined ReadingState = "undefined"
	// Unsupported kinds are served only in versions that cannot be read.
	Unsupported ReadingState = "unsupported"
	// Forbidden objects may not be listed by the gateway's ServiceAccount.
	Forbidden ReadingState = "forbidden"
)

// readings logs and tells of each kind once what becomes of its objects, and again when
// that changes.
type readings struct {
	told func(Reading)
	log  *slog.Logger

	mu sync.Mutex
	// served says what the API server serves, and last what was told.
	served, last map[unit.Kind]Reading
	refused      map[*informer]struct{}
}

func newReadings(told func(Reading), log *slog.Logger) *readings {
	return &readings{told: told, log: log,
		served: map[unit.Kind]Reading{}, last: map[unit.Kind]Reading{}, refused: map[*informer]struct{}{}}
}

// readingOf is what becomes of a kind that is served in a version; "" for none of those
// that can be read.
func readingOf(kind Kind, version string, defined bool) Reading {
	r := Reading{Kind: kind.Name, Resource: kind.Resource.GroupResource(), Version: version, State: Read}
	switch {
	case version != "":
	case defined:
		r.State = Unsupported
	default:
		r.State = Undefined
	}
	return r
}

// say makes known what the API server serves.
func (r *readings) say(all ...Reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var undefined []string
	for _, now := range all {
		r.served[now.Kind] = now
		if r.changed(now.Kind) && now.State == Undefined {
			undefined = append(undefined, now.Resource.String())
		}
	}
	if len(undefined) > 0 {
		r.log.Info("custom kinds are not read: the cluster does not serve them", "resources", undefined)
	}
}

// refuse notes that an informer may not list its kind, and permit that it may.
func (r *readings) refuse(i *informer) {
	if !i.kind.Custom {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[i] = struct{}{}
	r.changed(i.kind.Name)
}

func (r *readings) permit(i *informer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, refused := r.refused[i]; refused {
		delete(r.refused, i)
		r.changed(i.kind.Name)
	}
}

// forget leaves out informers that were stopped.
func (r *readings) forget(stopped []*informer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range stopped {
		delete(r.refused, i)
	}
}

// changed tells of a kind if there is news, and logs it but for kinds that are undefined.
func (r *readings) changed(kind unit.Kind) bool {
	now, known := r.served[kind]
	for i := range r.refused {
		if i.kind.Name == kind {
			now = Reading{Kind: kind, Resource: i.resource.GroupResource(), Version: i.resource.Version, State: Forbidden}
			known = true
		}
	}
	if !known || r.last[kind] == now {
		return false
	}
	r.last[kind] = now
	switch now.State {
	case Read:
		r.log.Info("watching a custom kind", "resource", now.Resource.String(), "version", now.Version)
	case Unsupported:
		r.log.Warn("a custom kind is not read: the cluster serves it only in versions that cannot be read", "resource", now.Resource.String())
	case Forbidden:
		r.log.Warn("a custom kind is not read: the gateway may not list it", "resource", now.Resource.String())
	}
	if r.told != nil {
		r.told(now)
	}
	return true
}
