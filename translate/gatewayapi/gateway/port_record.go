package gateway

import (
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// portRecord is the content of the ConfigMap that records the assigned ports.
type portRecord struct {
	version string // of the ConfigMap; empty if it does not exist
	data    map[string]string
	ports   map[string]int32 // Kong's port by its holder
}

// recorded reads the record.
func (o Options) recorded(r *unit.Reader) portRecord {
	if o.Front.Name == "" {
		return portRecord{}
	}
	object, ok := unit.Get[*corev1.ConfigMap](r, owned.PortRecord(o.Front))
	if !ok {
		return portRecord{}
	}
	record := portRecord{version: object.ResourceVersion, data: object.Data, ports: map[string]int32{}}
	for _, key := range slices.Sorted(maps.Keys(object.Data)) {
		port, err := strconv.ParseInt(key, 10, 32)
		if _, twice := record.ports[object.Data[key]]; err == nil && !twice {
			record.ports[object.Data[key]] = int32(port)
		}
	}
	return record
}

// of returns the port of Kong that is recorded for a Gateway's port.
func (r portRecord) of(port poolPort) (int32, bool) {
	at, ok := r.ports[owned.PortHolder(port.Service, portName(port.Protocol, port.Port))]
	return at, ok
}

// has reports whether a holder is recorded for a port of Kong.
func (r portRecord) has(port int32) bool {
	_, ok := r.data[strconv.Itoa(int(port))]
	return ok
}

// record returns the ConfigMap with these assignments; nil without a Service in front of Kong. It has
// the version that was read, so that a concurrent change makes the write fail. A port stays recorded
// for its last holder until another one gets it.
func (o Options) record(before portRecord, assigned assignments) *corev1.ConfigMap {
	if o.Front.Name == "" {
		return nil
	}
	key := owned.PortRecord(o.Front)
	record := &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: string(unit.ConfigMap)},
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, ResourceVersion: before.version,
			Labels: map[string]string{owned.ManagedByLabel: owned.ManagedBy}},
		Data: map[string]string{},
	}
	for at, holder := range before.data {
		if port, err := strconv.ParseInt(at, 10, 32); err == nil && o.Pool.Has(int(port)) {
			record.Data[at] = holder
		}
	}
	for port, at := range assigned {
		holder := owned.PortHolder(port.Service, portName(port.Protocol, port.Port))
		maps.DeleteFunc(record.Data, func(_, other string) bool { return other == holder })
		record.Data[strconv.Itoa(int(at))] = holder
	}
	return record
}
