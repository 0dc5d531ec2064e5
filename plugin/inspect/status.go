package inspect

import (
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Object names a Kubernetes object.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

func objectOf(key unit.Key) Object { return Object{string(key.Kind), key.Namespace, key.Name} }

func (o Object) key() unit.Key { return unit.Kind(o.Kind).Key(o.Namespace, o.Name) }

// String returns the form that messages use: "Ingress shop/web".
func (o Object) String() string { return o.key().String() }

// Status is the state of one gateway. Times are zero if they are unknown.
type Status struct {
	Time          time.Time     `json:"time"`
	Gateway       Gateway       `json:"gateway"`
	Configuration Configuration `json:"configuration"`
	Workers       []Worker      `json:"workers"`
	// Replicas are the endpoints of the Service in front of the gateway.
	Replicas []Replica `json:"replicas"`
	// Refused are the newest refusals, RefusedTotal is the number of refused objects.
	Refused      []Refusal `json:"refused"`
	RefusedTotal int       `json:"refusedTotal"`
	// Faults are the newest objects with faults, FaultsTotal is the number of all.
	Faults      []Faulty `json:"faults"`
	FaultsTotal int      `json:"faultsTotal"`
	// Certificates are ordered by expiry, the earliest first.
	Certificates []Certificate `json:"certificates"`
	// Changes are the last changes, the newest first.
	Changes []Change `json:"changes"`
	// Unknown says what could not be found out, and why.
	Unknown []string `json:"unknown,omitempty"`
}

// Gateway is a kube-sync and its Kong.
type Gateway struct {
	Pod       string `json:"pod,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	KubeSync  string `json:"kubeSync"`
	Kong      string `json:"kong,omitempty"`
	// Warnings are what puts the gateway at risk.
	Warnings []string  `json:"warnings,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	// Class is the ingress class that the gateway serves.
	Class string `json:"class,omitempty"`
	// Source is "cluster", or the directory of manifests.
	Source string `json:"source,omitempty"`
}

// Configuration is what Kong holds.
type Configuration struct {
	// Hash is the hash of the configuration that Kong acknowledged; empty before the first.
	Hash string `json:"hash,omitempty"`
	// Effective is true if every worker uses it.
	Effective bool `json:"effective"`
	// Pending is true if changes arrived that Kong does not have yet.
	Pending bool `json:"pending"`
	// Applied is when Kong acknowledged it.
	Applied time.Time `json:"applied,omitzero"`
	// Current is when it was last known to be what the cluster wants.
	Current time.Time `json:"current,omitzero"`
	// LastContact is when the API server was last heard of.
	LastContact time.Time `json:"lastContact,omitzero"`
	// Failure is why the last apply failed; empty if it succeeded.
	Failure string `json:"failure,omitempty"`
	// LaggingSince is since when some workers use an older configuration.
	LaggingSince time.Time `json:"laggingSince,omitzero"`
	// FullLoads is why every change needs a full load; empty if Kong takes deltas.
	FullLoads string `json:"fullLoads,omitempty"`
	// Entities is the number of entities by type.
	Entities map[string]int `json:"entities,omitempty"`
}

// Worker is a process of Kong, in one of its subsystems.
type Worker struct {
	// Subsystem is "http" or "stream".
	Subsystem string `json:"subsystem"`
	// ID counts from 0. PID is 0 if it is unknown.
	ID  int `json:"id"`
	PID int `json:"pid,omitempty"`
	// Hash is the hash of the configuration that the worker uses.
	Hash string `json:"hash,omitempty"`
	// Current is true if that is the configuration that Kong holds.
	Current bool `json:"current"`
}

// Replica is an endpoint of the Service in front of the gateway.
type Replica struct {
	Service Object `json:"service"`
	Address string `json:"address"`
	Ready   bool   `json:"ready"`
	// Self is true for the gateway that answers.
	Self bool `json:"self,omitempty"`
}

// Refusal is an object of which Kong, or the gateway's limits, refused something.
type Refusal struct {
	Object   Object   `json:"object"`
	Messages []string `json:"messages"`
	// Kept is true if the last good version of the object is still in effect.
	Kept  bool      `json:"kept"`
	Since time.Time `json:"since,omitzero"`
}

// Faulty is an object with faults.
type Faulty struct {
	Object Object `json:"object"`
	// Since is when the gateway first reported the faults as they are now.
	Since  time.Time `json:"since,omitzero"`
	Faults []Fault   `json:"faults"`
	// More is the number of faults that are not listed.
	More int `json:"more,omitempty"`
}

// Fault is one diagnostic.
type Fault struct {
	// Field is a path such as spec.rules[0].host; empty for the object as a whole.
	Field   string `json:"field,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Certificate is a certificate that Kong presents to clients.
type Certificate struct {
	// Object is the Secret; it is unnamed for a certificate that no object names.
	Object Object `json:"object"`
	// ServerNames are the names for which Kong presents it.
	ServerNames []string `json:"serverNames"`
	Subject     string   `json:"subject,omitempty"`
	// Names are the names in the certificate.
	Names    []string  `json:"names,omitempty"`
	NotAfter time.Time `json:"notAfter,omitzero"`
	// Unreadable is why it could not be parsed.
	Unreadable string `json:"unreadable,omitempty"`
}

// Change is what one apply brought into effect. Written is known for objects that were created or
// updated less than a minute before they arrived, to the second.
type Change struct {
	// ID counts the changes since kube-sync started.
	ID uint64 `json:"id"`
	// Objects are the first objects of the change, ObjectsTotal is the number of all.
	Objects      []ChangedObject `json:"objects"`
	ObjectsTotal int             `json:"objectsTotal"`
	// Kinds is the number of objects by kind.
	Kinds map[string]int `json:"kinds,omitempty"`
	// Written is when the API server stored the oldest of the objects.
	Written time.Time `json:"written,omitzero"`
	// Seen is when the oldest of the objects arrived.
	Seen time.Time `json:"seen,omitzero"`
	// Acknowledged is when Kong had stored the whole change.
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	// Effective is when every worker was known to use it; zero while some do not.
	Effective time.Time `json:"effective,omitzero"`
	// Full is true if Kong got the whole configuration and not the difference.
	Full bool `json:"full,omitempty"`
	// Pieces is the number of parts in which it was sent.
	Pieces int `json:"pieces"`
	// Bytes is the size of what was sent.
	Bytes int `json:"bytes"`
	// Hash is the hash of the configuration with the change.
	Hash string `json:"hash"`
	// Refused is the number of refusals after it.
	Refused int `json:"refused,omitempty"`
}

// ChangedObject is an object of a change.
type ChangedObject struct {
	Object
	Deleted bool `json:"deleted,omitempty"`
}
