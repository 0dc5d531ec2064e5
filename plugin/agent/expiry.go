package agent

import (
	"encoding/json"
	"time"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// noteExpiry tells the observer when the certificates of changed units expire.
func (l *loop) noteExpiry(changed map[unit.ID]struct{}) {
	for id := range changed {
		if id.Role != unit.RoleName(certificate.Role) {
			continue
		}
		view, exists := l.graph.View(id)
		secret, had := l.certificates[id]
		notAfter := time.Time{}
		if exists {
			notAfter = expiryOf(view.Entities)
		}
		if notAfter.IsZero() {
			if had {
				l.observer.SetCertificate(secret, time.Time{})
				delete(l.certificates, id)
			}
			continue
		}
		l.certificates[id] = view.Object
		l.observer.SetCertificate(view.Object, notAfter)
	}
}

// expiryOf returns when the first certificate among entities expires; zero if no entity is one.
func expiryOf(entities []*kong.Entity) time.Time {
	for _, e := range entities {
		if e.Type != kong.Certificates {
			continue
		}
		var fields struct{ Cert string }
		if json.Unmarshal(e.JSON, &fields) != nil {
			continue
		}
		if leaf, err := certificate.Leaf(fields.Cert); err == nil {
			return leaf.NotAfter
		}
	}
	return time.Time{}
}
