package kong

import "github.com/kube-sync/kube-sync/translate/route"

// Relays are of no collection of Kong's: they are for the proxy beside it, and belong to
// what Kong has of the same unit.
const Relays Type = "relays"

// Local tells entities that are not for Kong.
func (t Type) Local() bool { return t == Relays }

// Relay gives a relay.
func Relay(r route.Relay) *Entity { return entity(Relays, ID(Services, r.Name), r.Name, r) }
