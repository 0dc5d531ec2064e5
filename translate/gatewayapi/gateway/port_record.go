package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// portRecord is what is recorded.
type portRecord struct {
	version string // of the ConfigMap; empty without one
	data    map[string]string
	ports   map[string]int32 // Kong's, by what is recorded of it
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

// of is the port of Kong that is recorded for one of a Gateway.
func (r portRecord) of(port poolPort) (int32, bool) {
	at, ok := r.ports[owned.PortHolder(port.Service, portName(port.Protocol, port.Port))]
	return at, ok
}

// has reports whether something is recorded of a port of Kong.
func (r portRecord) has(port int32) bool {
	_, ok := r.data[strconv.Itoa(int(port))]
	return ok
}

// record is the ConfigMap with these assignments, to be written in the place of the version that
// was read and no other; nil if there is nowhere to write it. What a Gateway had stays recorded
// until another has the port.
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

// listenerBeyondShare says of a listener that its namespace has as many ports as it may.
func listenerBeyondShare(protocol gatewayv1.ProtocolType, most int) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable,
		fmt.Sprintf("the Gateways and ListenerSets of the namespace already have %d ports for %s, and the setting LIMIT_NAMESPACE_GATEWAY_PORTS allows no more", most, protocol))
}
