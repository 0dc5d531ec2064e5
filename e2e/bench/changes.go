package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// churned is the Service whose pods are added and removed. It has one other pod, so that every second answer of a worker
// is from the changed one.
const churned = "churned"

// kind is a kind of change.
type kind struct {
	Name string // for people
	// stays says that some answers are right from the start, so that the first right answer means nothing.
	stays bool
	// prepare returns the change of a round, after the changes before it in the round.
	prepare func(r *rounds) (change, error)
}

// kinds is the order of the changes in each round: some need the result of others.
var kinds = []kind{
	{Name: "new route", prepare: (*rounds).newRoute},
	{Name: "changed route", prepare: (*rounds).changedRoute},
	{Name: "new plugin", prepare: (*rounds).newPlugin},
	{Name: "new consumer credential", prepare: (*rounds).newCredential},
	{Name: "deleted route", prepare: (*rounds).deletedRoute},
	{Name: "pod added", prepare: (*rounds).podAdded},
	{Name: "pod removed", stays: true, prepare: (*rounds).podRemoved},
	{Name: "new certificate", prepare: (*rounds).newCertificate},
	{Name: "rotated certificate", prepare: (*rounds).rotatedCertificate},
}

// rounds are the changes on one gateway, with or without load.
type rounds struct {
	world   *world
	backend *backend
	name    string // in those of all objects made
	number  int    // of the round
	pods    *pods
	serial  string // of the certificate that is shown at the time

	removals []removal
}

// pods counts the pods of the churned Service over all gateways, because no address is used twice.
type pods struct {
	next    int
	current netip.Addr
	removed []netip.Addr
}

func (p *pods) fresh() netip.Addr {
	p.next++
	return address(podsFrom + p.next%(podsTo-podsFrom))
}

// startPods creates the churned Service, its first pod and an Ingress.
func (w *world) startPods(ctx context.Context) (*pods, error) {
	p := &pods{}
	p.current = p.fresh()
	if err := w.service(ctx, churned, p.current); err != nil {
		return nil, err
	}
	return p, w.ingress(ctx, churned, "/", churned)
}

func (r *rounds) ingress() string { return fmt.Sprintf("new-%s-%d", r.name, r.number) }

// Paths of the route that is created, changed and deleted.
const firstPath, secondPath = "/first", "/second"

// behind returns the route whose backends the new one uses.
func (r *rounds) behind() int { return r.number % r.world.routes }

// fromBehind reports whether one of those has answered.
func (r *rounds) fromBehind() func(answer) bool {
	var those []netip.Addr
	for i := range perRoute {
		those = append(those, endpoint(r.behind(), i))
	}
	return func(a answer) bool { return served(a) && slices.Contains(those, a.endpoint) }
}

func (r *rounds) newRoute() (change, error) {
	return change{
		write: func(ctx context.Context) error {
			return r.world.ingress(ctx, r.ingress(), firstPath, routeName(r.behind()))
		},
		questions: []question{
			{url: "http://" + host(r.ingress()) + firstPath, right: r.fromBehind(), stale: status(http.StatusNotFound)},
		},
	}, nil
}

func (r *rounds) changedRoute() (change, error) {
	at := "http://" + host(r.ingress())
	return change{
		write: func(ctx context.Context) error {
			return r.world.changeIngress(ctx, r.ingress(), map[string]any{
				"rules": rules(r.ingress(), secondPath, routeName(r.behind())),
			})
		},
		questions: []question{
			{url: at + secondPath, right: r.fromBehind(), stale: status(http.StatusNotFound)},
			{url: at + firstPath, right: status(http.StatusNotFound), stale: r.fromBehind()},
		},
	}, nil
}

func (r *rounds) deletedRoute() (change, error) {
	return change{
		write: func(ctx context.Context) error { return r.world.deleteIngress(ctx, r.ingress()) },
		questions: []question{
			// By then it has a plugin that requires a key.
			{url: "http://" + host(r.ingress()) + secondPath, right: status(http.StatusNotFound), stale: status(http.StatusUnauthorized)},
		},
	}, nil
}

func (r *rounds) podAdded() (change, error) {
	old, fresh := r.pods.current, r.pods.fresh()
	r.pods.removed = append(r.pods.removed, old)
	r.pods.current = fresh
	return change{
		write: func(ctx context.Context) error { return r.world.endpoints(ctx, churned, old, fresh) },
		questions: []question{{
			url: "http://" + host(churned) + "/", once: true,
			right: func(a answer) bool { return served(a) && a.endpoint == fresh },
			stale: func(a answer) bool { return served(a) && a.endpoint == old },
		}},
	}, nil
}

func (r *rounds) podRemoved() (change, error) {
	stays, old := r.pods.current, r.pods.removed[len(r.pods.removed)-1]
	return change{
		write: func(ctx context.Context) error { return r.world.endpoints(ctx, churned, stays) },
		questions: []question{{
			url:   "http://" + host(churned) + "/",
			right: func(a answer) bool { return served(a) && a.endpoint == stays },
			stale: func(a answer) bool { return served(a) && a.endpoint == old },
		}},
		gone: func(confirmed time.Time) { r.gone(old, confirmed) },
	}, nil
}

// removal is a removed pod, which no request may reach.
type removal struct {
	pod   netip.Addr
	since time.Time
}

func (r *rounds) gone(pod netip.Addr, confirmed time.Time) {
	r.removals = append(r.removals, removal{pod, confirmed})
}

// late returns the removed pods that requests reached after their removal had taken effect.
func (r *rounds) late() []string {
	var late []string
	for _, gone := range r.removals {
		if after := r.backend.askedSince(gone.pod, gone.since); after > 0 {
			late = append(late, fmt.Sprintf("%s, up to %s after", gone.pod, after.Round(time.Millisecond)))
		}
	}
	return late
}

// certified returns the route that gets its first certificate in this round.
func (r *rounds) certified() string { return routeName(r.number) }

// secretSuffix is the end of a Secret's name, after the route's.
const secretSuffix = "-tls"

func (r *rounds) secretName() string { return r.certified() + secretSuffix }

func (r *rounds) shown(serial string) question {
	before := r.serial
	r.serial = serial
	return question{
		url:   "https://" + host(r.certified()) + "/",
		right: func(a answer) bool { return served(a) && a.serial == serial },
		// The one before the first one is Kong's own.
		stale: func(a answer) bool { return served(a) && (before == "" || a.serial == before) },
	}
}

func (r *rounds) newCertificate() (change, error) {
	fresh := newPair(host(r.certified()))
	r.serial = ""
	return change{
		write: func(ctx context.Context) error {
			if err := r.world.secret(ctx, r.secretName(), fresh); err != nil {
				return err
			}
			return r.world.changeIngress(ctx, r.certified(), map[string]any{
				"tls": []map[string]any{{"hosts": []string{host(r.certified())}, "secretName": r.secretName()}},
			})
		},
		questions: []question{r.shown(fresh.serial)},
	}, nil
}

func (r *rounds) rotatedCertificate() (change, error) {
	fresh := newPair(host(r.certified()))
	return change{
		write:     func(ctx context.Context) error { return r.world.changeSecret(ctx, r.secretName(), fresh) },
		questions: []question{r.shown(fresh.serial)},
	}, nil
}
