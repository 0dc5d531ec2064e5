package cluster

import (
	"log/slog"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// KindState says whether the objects of a custom kind are read.
type KindState struct {
	Kind     unit.Kind
	Resource schema.GroupResource
	State    State
	// Version is the API version that is served and can be read; "" if there is none.
	Version string
}

// State is the reason why the objects of a custom kind are read or not.
type State string

const (
	// Read objects take effect.
	Read State = "read"
	// Undefined kinds are not served: the cluster has no definition of them.
	Undefined State = "undefined"
	// Unsupported kinds are served only in versions that cannot be read.
	Unsupported State = "unsupported"
	// Forbidden objects may not be listed by the gateway's ServiceAccount.
	Forbidden State = "forbidden"
)

// kindStates logs and reports the state of each custom kind once, and again when it changes.
type kindStates struct {
	report func(KindState) // may be nil
	log    *slog.Logger

	mu sync.Mutex
	// served follows from what the API server serves; last is what was reported.
	served, last map[unit.Kind]KindState
	refused      map[*informer]struct{}
}

func newKindStates(report func(KindState), log *slog.Logger) *kindStates {
	return &kindStates{report: report, log: log,
		served: map[unit.Kind]KindState{}, last: map[unit.Kind]KindState{}, refused: map[*informer]struct{}{}}
}

// stateOf returns the state of a kind that is served in a version; "" if in none that can be
// read.
func stateOf(kind kinds.Kind, version string, defined bool) KindState {
	s := KindState{Kind: kind.Name, Resource: kind.Resource.GroupResource(), Version: version, State: Read}
	switch {
	case version != "":
	case defined:
		s.State = Unsupported
	default:
		s.State = Undefined
	}
	return s
}

// set sets the states that follow from what the API server serves.
func (s *kindStates) set(all ...KindState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var undefined []string
	for _, now := range all {
		s.served[now.Kind] = now
		if s.update(now.Kind) && now.State == Undefined {
			undefined = append(undefined, now.Resource.String())
		}
	}
	if len(undefined) > 0 {
		s.log.Info("custom kinds are not read: the cluster does not serve them", "resources", undefined)
	}
}

// refuse notes that an informer may not list its kind.
func (s *kindStates) refuse(i *informer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[i] = struct{}{}
	s.update(i.kind.Name)
}

// permit notes that an informer has listed its kind.
func (s *kindStates) permit(i *informer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, refused := s.refused[i]; refused {
		delete(s.refused, i)
		s.update(i.kind.Name)
	}
}

// forget removes informers that were stopped.
func (s *kindStates) forget(stopped []*informer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range stopped {
		delete(s.refused, i)
	}
}

// update reports and logs the state of a kind if it has changed. The log entry of undefined
// kinds is left to the caller, who joins them.
func (s *kindStates) update(kind unit.Kind) (changed bool) {
	now, known := s.served[kind]
	for i := range s.refused {
		if i.kind.Name == kind {
			now = KindState{Kind: kind, Resource: i.resource.GroupResource(), Version: i.resource.Version, State: Forbidden}
			known = true
		}
	}
	if !known || s.last[kind] == now {
		return false
	}
	s.last[kind] = now
	switch now.State {
	case Read:
		s.log.Info("watching a custom kind", "resource", now.Resource.String(), "version", now.Version)
	case Unsupported:
		s.log.Warn("a custom kind is not read: the cluster serves it only in versions that cannot be read", "resource", now.Resource.String())
	case Forbidden:
		s.log.Warn("a custom kind is not read: the gateway may not list it", "resource", now.Resource.String())
	}
	if s.report != nil {
		s.report(now)
	}
	return true
}
