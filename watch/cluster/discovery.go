package cluster

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// discovery asks an API server what it serves, each version of a group once.
type discovery struct {
	resources func(context.Context, schema.GroupVersion) (*metav1.APIResourceList, error)
	lists     map[schema.GroupVersion]*metav1.APIResourceList
}

func newDiscovery(clients *Clients) *discovery {
	return &discovery{resources: clients.Resources, lists: map[schema.GroupVersion]*metav1.APIResourceList{}}
}

// served returns the version in which each kind is read. It omits a kind if the API server serves
// no version of it that can be read.
func (d *discovery) served(ctx context.Context, of []kinds.Kind) (map[unit.Kind]string, error) {
	served := map[unit.Kind]string{}
	for _, kind := range of {
		for _, version := range kind.Versions() {
			list, err := d.list(ctx, kind.In(version).GroupVersion())
			if err != nil {
				return nil, err
			}
			if has(list, kind.Resource.Resource) {
				served[kind.Name] = version
				break
			}
		}
	}
	return served, nil
}

// list returns the resources of a version of an API group; nil if it is not served.
func (d *discovery) list(ctx context.Context, version schema.GroupVersion) (*metav1.APIResourceList, error) {
	if list, asked := d.lists[version]; asked {
		return list, nil
	}
	list, err := d.resources(ctx, version)
	if apierrors.IsNotFound(err) {
		list, err = nil, nil
	}
	if err == nil {
		d.lists[version] = list
	}
	return list, err
}

func has(list *metav1.APIResourceList, resource string) bool {
	if list == nil {
		return false
	}
	for _, r := range list.APIResources {
		if r.Name == resource {
			return true
		}
	}
	return false
}
