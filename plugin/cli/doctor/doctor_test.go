package doctor

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/plugin/definitions"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// TestMain runs the tests in a lab, which has an API server. No kubelet runs the pods of the tests:
// they have the statuses that the tests write.
func TestMain(m *testing.M) { lab.Main(m) }

const installed = "../../../kong-conf/install.yaml"

// newDoctor returns a doctor who has the credentials of an administrator.
func newDoctor(t *testing.T, config *rest.Config) Doctor {
	t.Helper()
	clients, err := cluster.NewClients(config, 500, 1000, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return Doctor{Clients: clients, HTTP: client, Server: config.Host}
}

// prepare applies the definitions and the gateway's roles, whose Role is made in a namespace.
func prepare(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	for _, bundle := range []string{definitions.GatewayAPI, definitions.Kong} {
		text, err := definitions.YAML(bundle)
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "default", string(text))
	}
	for _, document := range documents(t, installed) {
		if strings.Contains(document, "\nkind: ClusterRole\n") {
			cp.MustApply(t, "default", document)
		}
	}
}

func documents(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split("\n"+string(text), "\n---\n")
}

// gateway makes a gateway in a namespace of its own. edit changes its manifests.
func gateway(t *testing.T, cp *lab.ControlPlane, edit func(string) string) (namespace string) {
	t.Helper()
	namespace = cp.Namespace(t)
	for _, document := range documents(t, installed) {
		if strings.Contains(document, "\nkind: Role\n") {
			role := strings.ReplaceAll(document, "namespace: kong", "namespace: "+namespace)
			cp.MustApply(t, namespace, strings.ReplaceAll(role, "kube-sync-kong", "kube-sync-"+namespace))
		}
	}
	text := strings.Join(documents(t, "testdata/gateway.yaml"), "\n---\n")
	text = strings.NewReplacer("@NS", namespace, "NOW", time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")).Replace(text)
	text = edit(text)
	for _, applied := range cp.MustApply(t, namespace, text) {
		writeStatus(t, cp, text, applied)
	}
	return namespace
}

// writeStatus writes the status that the manifests have for an object.
func writeStatus(t *testing.T, cp *lab.ControlPlane, text string, applied *unstructured.Unstructured) {
	t.Helper()
	for document := range strings.SplitSeq(text, "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		written := unstructured.Unstructured{Object: object}
		if object["status"] == nil || written.GetKind() != applied.GetKind() || written.GetName() != applied.GetName() {
			continue
		}
		applied.Object["status"] = object["status"]
		resource := applied.GroupVersionKind().GroupVersion().WithResource(map[string]string{
			"GatewayClass": "gatewayclasses", "Gateway": "gateways", "Service": "services", "Pod": "pods"}[applied.GetKind()])
		if _, err := cp.Dynamic.Resource(resource).Namespace(applied.GetNamespace()).UpdateStatus(t.Context(), applied, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func report(reports []Report, namespace string) []Finding {
	for _, r := range reports {
		if strings.HasPrefix(r.Gateway, namespace+"/") {
			return r.Findings
		}
	}
	return nil
}

func wanted(found []Finding, area string, state State, part string) bool {
	return slices.ContainsFunc(found, func(f Finding) bool {
		return f.Area == area && f.State == state && strings.Contains(f.Message, part) && (state == OK || state == Unknown || f.Do != "")
	})
}

// bad are changes of the healthy gateway and what the doctor has to say about each.
var bad = map[string]struct {
	old, new string
	area     string
	state    State
	message  string
}{
	"a setting is invalid":      {"value: $(KONG_PLUGINSERVER_KUBE_SYNC_POD_NAMESPACE)/proxy", "value: proxy", "settings", Failure, "PUBLISH_SERVICE"},
	"rights are missing":        {"name: kube-sync}\nsubjects", "name: nothing}\nsubjects", "rights", Failure, "list ingresses.networking.k8s.io"},
	"the Lease's role is gone":  {"kind: Role, name: kube-sync-lease", "kind: Role, name: nothing", "rights", Failure, "update leases.coordination.k8s.io kube-sync-@NS in namespace @NS"},
	"no IngressClass":           {"kind: IngressClass\nmetadata: {name: @NS}", "kind: IngressClass\nmetadata: {name: @NS-other}", "classes", Warning, "there is no IngressClass @NS"},
	"another controller":        {"spec: {controllerName: example.com/@NS}", "spec: {controllerName: example.com/other}", "classes", Warning, "there is no GatewayClass with the controller example.com/@NS"},
	"the class is refused":      {"{type: Accepted, status: 'True', reason: Accepted, message: '', lastTransitionTime: '2026-01-01T00:00:00Z'}]}", "{type: Accepted, status: 'False', reason: InvalidParameters, message: 'no', lastTransitionTime: '2026-01-01T00:00:00Z'}]}", "classes", Failure, "InvalidParameters"},
	"the class has no status":   {"status: {conditions: [{type: Accepted", "status: {conditions: [{type: Other", "classes", Warning, "no gateway has written its status"},
	"a port that nothing opens": {"- {type: Accepted, status: 'True', reason: Accepted", "- {type: Accepted, status: 'False', reason: PortUnavailable", "listeners", Failure, "listener http at port 80: Accepted is False: PortUnavailable"},
	"a Gateway has no address":  {"  addresses: [{value: 203.0.113.7}]\n", "", "listeners", Warning, "has no address"},
	"no Service":                {"kind: Service\nmetadata: {name: proxy}", "kind: Service\nmetadata: {name: other}", "service", Failure, "does not exist"},
	"a pending load balancer":   {"status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}", "", "service", Failure, "waits for an address"},
	"a ClusterIP":               {servicePorts("LoadBalancer") + "\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}", servicePorts("ClusterIP"), "service", Warning, "only from inside the cluster"},
	"no endpoint is ready":      {"conditions: {ready: true}}]", "conditions: {ready: false}}]", "service", Failure, "no ready endpoint"},
	"a closed target port":      {"targetPort: 8443", "targetPort: 9443", "service", Failure, "port 443 leads to port 9443"},
	"no PUBLISH_SERVICE":        {"    - {name: KONG_PLUGINSERVER_KUBE_SYNC_PUBLISH_SERVICE, value: $(KONG_PLUGINSERVER_KUBE_SYNC_POD_NAMESPACE)/proxy}\n", "", "service", Warning, "neither PUBLISH_SERVICE"},
	"a pod is not ready":        {"{type: Ready, status: 'True'}", "{type: Ready, status: 'False'}", "pods", Failure, "0 of 1 pods are ready"},
	"a pod is not scheduled":    {"{type: Ready, status: 'True'}", "{type: PodScheduled, status: 'False', message: 'no node'}", "pods", Failure, "not scheduled: no node"},
	"a pod lacks memory":        {"restartCount: 0,", "restartCount: 3, lastState: {terminated: {reason: OOMKilled, exitCode: 137, containerID: a}},", "pods", Warning, "after OOMKilled"},
	"the image is missing":      {"restartCount: 0,", "restartCount: 0, state: {waiting: {reason: ImagePullBackOff, message: gone}},", "pods", Failure, "ImagePullBackOff"},
	"no memory limit":           {"limits: {memory: 6Gi}", "limits: {}", "pods", Warning, "no memory limit"},
	"a CPU limit":               {"limits: {memory: 6Gi}", "limits: {memory: 6Gi, cpu: 1}", "pods", Warning, "CPU limit"},
	"no Lease":                  {"metadata: {name: kube-sync-@NS}", "metadata: {name: other}", "lease", Failure, "there is no Lease"},
	"a dead holder":             {"leaseDurationSeconds: 30, renewTime: 'NOW'", "leaseDurationSeconds: 30, renewTime: '2026-01-01T00:00:00.000000Z'", "lease", Failure, "last renewed it"},
	"nobody holds the Lease":    {"holderIdentity: gateway-1, ", "", "lease", Warning, "no gateway holds"},
	"another gateway's Lease":   {"holderIdentity: gateway-1", "holderIdentity: other-1", "lease", Warning, "is not a pod of this gateway"},
}

func servicePorts(kind string) string {
	return "type: " + kind + "\n  ports: [{name: http, port: 80, targetPort: proxy}, {name: https, port: 443, targetPort: 8443}]"
}

// TestReal examines a healthy gateway in a real API server, and then gateways with one fault each.
func TestReal(t *testing.T) {
	cp := lab.Shared(t)
	d := newDoctor(t, cp.Config)
	if found := d.Examine(t.Context()); !wanted(found[0].Findings, "gateway", Failure, "there is no pod") || !wanted(found[0].Findings, "definitions", Warning, "not defined") {
		t.Errorf("an empty cluster: %+v", found)
	}
	prepare(t, cp)
	healthy := gateway(t, cp, func(text string) string { return text })
	found := report(d.Examine(t.Context()), healthy)
	for _, f := range found {
		if f.State != OK && f.State != Unknown {
			t.Errorf("a healthy gateway: %+v", f)
		}
	}
	for _, area := range []string{"api server", "clock", "definitions", "rights", "classes", "listeners", "service", "pods", "lease"} {
		if !wanted(found, area, OK, "") {
			t.Errorf("a healthy gateway: nothing is said about %s: %+v", area, found)
		}
	}
	if !wanted(found, "kong", Unknown, "from outside") {
		t.Error("doctor does not say what it cannot examine")
	}
	namespaces := map[string]string{}
	for name, fault := range bad {
		namespaces[name] = gateway(t, cp, func(text string) string {
			namespace := namespaceOf(text)
			old, replacement := strings.ReplaceAll(fault.old, "@NS", namespace), strings.ReplaceAll(fault.new, "@NS", namespace)
			if at := strings.Index(old, "NOW"); at >= 0 {
				return replaceUpTo(t, text, old[:at], strings.TrimSuffix(replacement, "'"))
			}
			if strings.Count(text, old) != 1 {
				t.Fatalf("%s: the manifests have %q %d times", name, old, strings.Count(text, old))
			}
			return strings.Replace(text, old, replacement, 1)
		})
	}
	reports := d.Examine(t.Context())
	for name, fault := range bad {
		namespace := namespaces[name]
		message := strings.ReplaceAll(fault.message, "@NS", namespace)
		if got := report(reports, namespace); !wanted(got, fault.area, fault.state, message) {
			t.Errorf("%s: want %s %s %q in %+v", name, fault.area, fault.state, message, got)
		}
	}
}

func namespaceOf(text string) string {
	_, rest, _ := strings.Cut(text, "example.com/")
	namespace, _, _ := strings.Cut(rest, "}")
	return namespace
}

// replaceUpTo replaces a prefix and what follows up to the next quotation mark.
func replaceUpTo(t *testing.T, text, prefix, replacement string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, prefix)
	_, after, ok2 := strings.Cut(rest, "'")
	if !ok || !ok2 {
		t.Fatalf("the manifests lack %q", prefix)
	}
	return before + replacement + "'" + after
}

// TestRightsAreThoseOfTheRoles compares what doctor asks for with the roles of install.yaml.
func TestRightsAreThoseOfTheRoles(t *testing.T) {
	granted := map[string]bool{}
	for _, document := range documents(t, installed) {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal([]byte(document), &role); err != nil || role.Kind != "ClusterRole" && role.Kind != "Role" {
			continue
		}
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						granted[verb+" "+resource+"."+group] = true
					}
				}
			}
		}
	}
	p := newPatient(podOf(t))
	if p.Invalid != nil {
		t.Fatalf("the settings of install.yaml: %v", p.Invalid)
	}
	s := p.Settings
	for _, right := range Rights(s, func(unit.Kind) bool { return true }) {
		resource := right.Resource
		if right.Subresource != "" {
			resource += "/" + right.Subresource
		}
		asked := right.Verb + " " + resource + "." + right.Group
		if _, ok := granted[asked]; !ok {
			t.Errorf("doctor asks for %s, which no role grants", asked)
		}
		granted[asked] = false
	}
	for right, left := range granted {
		if left {
			t.Errorf("a role grants %s, which doctor does not ask for", right)
		}
	}
}

// TestClock compares clocks that differ.
func TestClock(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 500_000_000, time.UTC)
	for skew, want := range map[time.Duration]State{0: OK, 3 * time.Second: OK, -3 * time.Second: OK, 20 * time.Second: Warning, -20 * time.Second: Warning, time.Hour: Failure, -time.Hour: Failure} {
		f := findings{}
		f.clock(now.Add(-skew).Truncate(time.Second), now, now.Add(50*time.Millisecond))
		if f.all[0].State != want {
			t.Errorf("a local clock that differs by %s: %+v, want %s", skew, f.all[0], want)
		}
	}
	f := findings{}
	f.clock(time.Time{}, now, now)
	if f.all[0].State != Unknown {
		t.Errorf("without a date: %+v", f.all[0])
	}
}

// TestUnreachable examines without a cluster, and with one that does not answer.
func TestUnreachable(t *testing.T) {
	if found := (Doctor{Unreachable: context.Canceled}).Examine(t.Context()); !wanted(found[0].Findings, "api server", Failure, "canceled") {
		t.Errorf("%+v", found)
	}
	d := newDoctor(t, &rest.Config{Host: "http://127.0.0.1:1"})
	if found := d.Examine(t.Context()); !wanted(found[0].Findings, "api server", Failure, "does not answer") {
		t.Errorf("%+v", found)
	}
}

// podOf returns the pod of install.yaml's Deployment.
func podOf(t *testing.T) corev1.Pod {
	t.Helper()
	for _, document := range documents(t, installed) {
		var deployment appsv1.Deployment
		if err := yaml.Unmarshal([]byte(document), &deployment); err == nil && deployment.Kind == "Deployment" {
			template := deployment.Spec.Template
			template.Namespace = deployment.Namespace
			return corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		}
	}
	t.Fatal("install.yaml has no Deployment")
	return corev1.Pod{}
}
