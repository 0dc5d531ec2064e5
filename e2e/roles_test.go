package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// roleManifests have all rights of the gateway, including the optional ones.
var roleManifests = []string{"install.yaml", "manifests/gatewayservices/clusterrole.yaml", "manifests/gatewayservices/ports.yaml"}

// unusedGrants are rights that the tests do not use, with the reasons for granting them.
var unusedGrants = map[string]string{
	"create services":                        "to apply what is not there yet is authorized as a patch and a creation, and logged as a patch",
	"create discovery.k8s.io/endpointslices": "as for Services",
	"create configmaps":                      "as for Services",
}

// unstreamed is a verb that is used if the API server does not stream the start of a watch, as it does here.
const unstreamed = "list"

// checkRoles compares the gateway's roles with its requests to the API servers of all tests. Every verb that it used is
// granted by its own roles, and every granted verb was used.
func checkRoles(asked []lab.Asked, passed bool) error {
	granted, err := grants()
	if err != nil {
		return err
	}
	var errs []error
	used := map[string]bool{}
	for _, a := range asked {
		grant := a.Verb + " " + strings.TrimPrefix(a.Group+"/"+a.Resource, "/")
		installed := a.Account == gatewayNamespace+"/"+gatewayAccount
		switch {
		case !installed && a.Account != gatewayNamespace+"/"+namespacedAccountName:
			continue
		case !slices.Contains(granted, grant):
			errs = append(errs, fmt.Errorf("%s is used and not granted", a))
		case installed && a.Allowed && !strings.Contains(a.Binding, `Binding "kube-sync`):
			errs = append(errs, fmt.Errorf("%s is granted by no role of the gateway's: %s", a, a.Binding))
		}
		// A granted request that was not allowed was sent before the role existed, or after it.
		used[grant] = used[grant] || installed
	}
	return errors.Join(append(errs, checkUnused(granted, used, passed)...)...)
}

// checkUnused checks only a run of all tests on a real Kong, because single tests use few rights.
func checkUnused(granted []string, used map[string]bool, passed bool) (errs []error) {
	if !passed {
		return nil
	}
	for _, option := range []string{"test.run", "test.skip"} {
		if flag.Lookup(option).Value.String() != "" {
			return nil
		}
	}
	if _, err := exec.LookPath("kong"); err != nil {
		return nil
	}
	for _, grant := range granted {
		reason, allowed := unusedGrants[grant]
		verb, what, _ := strings.Cut(grant, " ")
		switch {
		case verb == unstreamed && used["watch "+what]:
		case !used[grant] && !allowed:
			errs = append(errs, fmt.Errorf("%q is granted and was not used", grant))
		case used[grant] && allowed:
			errs = append(errs, fmt.Errorf("%q was used: %q is no reason any more", grant, reason))
		}
	}
	return errs
}

// grants returns the gateway's rights as "verb group/resource", each once.
func grants() (all []string, err error) {
	for _, file := range roleManifests {
		manifest, err := os.ReadFile("../kong-conf/" + file)
		if err != nil {
			return nil, err
		}
		for document := range strings.SplitSeq(only(string(manifest), "ClusterRole", "Role"), "\n---\n") {
			var role rbacv1.ClusterRole
			if err := yaml.Unmarshal([]byte(document), &role); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			for _, rule := range role.Rules {
				for _, grant := range grantsOf(rule) {
					if !slices.Contains(all, grant) {
						all = append(all, grant)
					}
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the manifests grant nothing")
	}
	return all, nil
}

func grantsOf(rule rbacv1.PolicyRule) (all []string) {
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				all = append(all, verb+" "+strings.TrimPrefix(group+"/"+resource, "/"))
			}
		}
	}
	return all
}
