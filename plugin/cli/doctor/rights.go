package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// reviewers is how many questions are asked at once.
const reviewers = 16

// statusless are the kinds whose status is not written.
var statusless = []unit.Kind{
	unit.Service, unit.EndpointSlice, unit.Namespace, unit.Secret, unit.ConfigMap, unit.IngressClass,
	unit.ReferenceGrant, unit.KongIngress, unit.IngressClassParameters,
}

// Rights returns what a gateway with the settings has to be permitted to do with the kinds that are
// served. Rights that only some features need are not among them if the settings turn these off.
func Rights(s settings.Settings, served func(unit.Kind) bool) (rights []authorizationv1.ResourceAttributes) {
	everywhere := s.WatchNamespaces
	if len(everywhere) == 0 {
		everywhere = []string{metav1.NamespaceAll}
	}
	add := func(namespaces []string, group, resource, sub, name string, verbs ...string) {
		for _, namespace := range namespaces {
			for _, verb := range verbs {
				rights = append(rights, authorizationv1.ResourceAttributes{
					Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: sub, Name: name})
			}
		}
	}
	for _, kind := range kinds.All() {
		if !served(kind.Name) {
			continue
		}
		namespaces, resource := everywhere, kind.Resource
		if !kind.Namespaced {
			namespaces = []string{metav1.NamespaceAll}
		}
		switch {
		case kind.Fetch != nil:
			add(namespaces, resource.Group, resource.Resource, "", "", "get", "list", "watch")
		case kind.Name == unit.Namespace && len(s.WatchNamespaces) > 0:
			for _, name := range s.WatchNamespaces {
				add(namespaces, resource.Group, resource.Resource, "", name, "list", "watch")
			}
		default:
			add(namespaces, resource.Group, resource.Resource, "", "", "list", "watch")
		}
		if s.UpdateStatus && !slices.Contains(statusless, kind.Name) {
			add(namespaces, resource.Group, resource.Resource, "status", "", "patch")
		}
	}
	cluster := []string{metav1.NamespaceAll}
	add(cluster, "apiextensions.k8s.io", "customresourcedefinitions", "", "", "list", "watch")
	if s.EmitEvents {
		add(everywhere, "", "events", "", "", "create", "patch")
	}
	if s.UpdateStatus || s.EmitEvents {
		lease := []string{s.ElectionNamespace}
		add(lease, "coordination.k8s.io", "leases", "", "", "create")
		add(lease, "coordination.k8s.io", "leases", "", s.ElectionID, "get", "update")
	}
	if len(s.GatewayPorts) > 0 {
		add(everywhere, "", "services", "", "", "create", "patch", "delete")
		add(everywhere, "discovery.k8s.io", "endpointslices", "", "", "create", "patch", "delete")
	}
	return rights
}

// rights examines what the gateway's account may do.
func (d Doctor) rights(ctx context.Context, p Patient, states []cluster.KindState) []Finding {
	f := findings{area: "rights"}
	if p.Account == "" && d.Inside == nil {
		f.unknown("", "there is no gateway yet, and so no account")
		return f.all
	}
	served := map[unit.Kind]bool{}
	for _, kind := range kinds.Core() {
		served[kind.Name] = true
	}
	for _, s := range states {
		served[s.Kind] = s.State == cluster.Read
	}
	rights := Rights(p.Settings, func(kind unit.Kind) bool { return served[kind] })
	missing, err := d.missing(ctx, p, rights)
	switch {
	case err != nil:
		f.unknown("run doctor in the gateway's container, or with credentials that may create subjectaccessreviews",
			"what the account %s/%s may do cannot be asked: %v", p.Namespace, p.Account, err)
	case len(missing) > 0:
		f.add(Failure, "apply the roles of the chart or of kong-conf/install.yaml; docs/reference/permissions.md lists them",
			"the account %s/%s may not %s", p.Namespace, p.Account, strings.Join(missing, ", "))
	default:
		f.ok("the account has all %d permissions that its settings need", len(rights))
	}
	return f.all
}

// missing returns the rights that the account lacks, as "list ingresses.networking.k8s.io".
func (d Doctor) missing(ctx context.Context, p Patient, rights []authorizationv1.ResourceAttributes) (missing []string, err error) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(reviewers)
	for _, right := range rights {
		group.Go(func() error {
			allowed, err := d.allowed(ctx, p, right)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && !allowed {
				missing = append(missing, said(right))
			}
			return err
		})
	}
	err = group.Wait()
	slices.Sort(missing)
	return missing, err
}

// allowed asks the API server whether the gateway's account has a right.
func (d Doctor) allowed(ctx context.Context, p Patient, right authorizationv1.ResourceAttributes) (bool, error) {
	client := d.Clients.Core.AuthorizationV1()
	if d.Inside != nil {
		review, err := client.SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right}}, metav1.CreateOptions{})
		return err == nil && review.Status.Allowed, err
	}
	review, err := client.SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               "system:serviceaccount:" + p.Namespace + ":" + p.Account,
			Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + p.Namespace, "system:authenticated"},
			ResourceAttributes: &right,
		}}, metav1.CreateOptions{})
	return err == nil && review.Status.Allowed, err
}

func said(right authorizationv1.ResourceAttributes) string {
	resource := right.Resource
	if right.Subresource != "" {
		resource += "/" + right.Subresource
	}
	said := right.Verb + " " + resource
	if right.Group != "" {
		said = fmt.Sprintf("%s %s.%s", right.Verb, resource, right.Group)
	}
	if right.Name != "" {
		said += " " + right.Name
	}
	if right.Namespace != "" {
		said += " in namespace " + right.Namespace
	}
	return said
}
