package gateway

import "github.com/kube-sync/kube-sync/translate/kong"

// difference is what leads from some entities to others.
type difference struct {
	// upserts are the entities that are new or replace one of the same type and id.
	upserts []*kong.Entity
	// replaced are those that upserts replace, and removed those that go.
	replaced, removed []*kong.Entity
}

// differenceOf compares entities with former ones, which it is given by their type and id.
func differenceOf(former map[kong.Ref]*kong.Entity, entities []*kong.Entity) (d difference) {
	present := make(map[kong.Ref]struct{}, len(entities))
	for _, e := range entities {
		present[e.Ref] = struct{}{}
		old := former[e.Ref]
		if old != nil && old.Equal(e) {
			continue
		}
		d.upserts = append(d.upserts, e)
		if old != nil {
			d.replaced = append(d.replaced, old)
		}
	}
	for ref, old := range former {
		if _, stays := present[ref]; !stays {
			d.removed = append(d.removed, old)
		}
	}
	return d
}
