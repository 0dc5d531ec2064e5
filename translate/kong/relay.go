package kong

import "github.com/kube-sync/kube-sync/translate/route"

// Relays are not a collection of Kong: they configure the relay for the other entities of the
// unit.
const Relays Type = "relays"

// Local reports whether entities of the type are not for Kong.
func (t Type) Local() bool { return t == Relays }

// Relay returns the entity of a relay.
func Relay(r route.Relay) *Entity { return entity(Relays, ID(Services, r.Name), r.Name, r) }
