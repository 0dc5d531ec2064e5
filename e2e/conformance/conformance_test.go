package conformance

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// className is the suite's own default.
const className = "gateway-conformance"

const class = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ` + className + `}
spec: {controllerName: konghq.com/kic-gateway-controller}
`

// Addresses for Gateways that ask for one: the load balancer gives all of its range, and no other.
const (
	usableAddress   = "10.246.250.1"
	unusableAddress = "192.0.2.1"
)

// settings of the gateway that the suite relies on.
var settings = map[string]string{
	// Listeners without a hostname are to show their certificate for every server name. With the default that is left
	// to the gateway's own namespace, as such a certificate is for the hosts of all other namespaces too.
	"KONG_PLUGINSERVER_KUBE_SYNC_LAST_RESORT_CERTIFICATE_NAMESPACES": "gateway-conformance-infra",
	// All Gateways of the suite are in one namespace.
	"KONG_PLUGINSERVER_KUBE_SYNC_LIMIT_NAMESPACE_GATEWAY_PORTS": "0",
}

// TestConformance runs the official suite; see the package's documentation.
func TestConformance(t *testing.T) {
	if !*official {
		lab.Skip(t, "make conformance runs the official suite")
	}
	cp := lab.StartControlPlane(t)
	// All of the experimental channel, with the policy that guards it.
	cp.MustApplyModule(t, lab.GatewayAPI, "config/crd/experimental/gateway*.yaml")
	cp.MustApply(t, "", class)
	logs := logDir(t)
	gw := pod.Deploy(t, cp, settings)
	report, outcomes := filepath.Join(t.TempDir(), "report.yaml"), filepath.Join(t.TempDir(), "outcomes.json")
	passed := runSuite(t, cp, filepath.Join(logs, "suite.log"), append(options(report), "-outcomes="+outcomes))
	keepLog(t, gw, filepath.Join(logs, "gateway.log"))
	if !passed {
		t.Error("the suite has failures")
	}
	if reason := incomplete(); reason != "" {
		t.Logf("nothing is reported: %s", reason)
		return
	}
	writeResults(t, report, outcomes)
}

// standInTests are those of which the stand-in gateway does all that they ask for: it runs
// no plugins that change requests.
const standInTests = "HTTPRoute(CrossNamespace|ExactPathMatching|HTTPSListener.*|HeaderMatching|HostnameIntersection|" +
	"Listener(Hostname|Port)Matching|Matching(AcrossRoutes)?|MethodMatching|MultipleGateways|NamedRule|PathMatchOrder|" +
	"QueryParamMatching|ServiceTypes|SimpleSameNamespace|Weight)$"

// selected is a regular expression of the tests to run; "" is all.
func selected() string {
	if _, err := exec.LookPath("kong"); err != nil && *run == "" {
		return standInTests
	}
	return *run
}

// incomplete says why a run is no report of conformance.
func incomplete() string {
	switch _, err := exec.LookPath("kong"); {
	case err != nil:
		return "there is no kong on PATH, and what the stand-in gateway passes is no conformance of Kong"
	case *run != "":
		return "only the tests of -run ran"
	case *also != "":
		return "the features of -also are not claimed"
	case *quick:
		return "tests had less time than the suite gives them"
	}
	return ""
}

// options are the suite's. Which features are claimed, it reads from the GatewayClass.
func options(report string) []string {
	list := []string{
		"-test.v", "-test.timeout=0",
		"-test.parallel=4", // or machines with many cores ask for more ports at once than Kong has
		"-gateway-class=" + className,
		"-conformance-profiles=" + strings.Join(profiles(), ","),
		"-usable-address=" + usableAddress, "-unusable-address=" + unusableAddress,
		"-cleanup-base-resources=false", // the cluster goes with the test
		"-organization=kube-sync", "-project=kube-sync", "-url=https://github.com/kube-sync/kube-sync",
		"-contact=https://github.com/kube-sync/kube-sync/issues", "-version=" + *version,
		"-report-output=" + report,
	}
	if tests := selected(); tests != "" {
		list = append(list, "-test.run=^TestConformance$/"+tests)
	}
	switch *also {
	case "":
	case "all":
		list = append(list, "-supported-features="+join(everything()))
	default:
		list = append(list, "-supported-features="+join(claimed())+","+*also)
	}
	if *quick {
		list = append(list, "-timeout-config-overrides="+strings.Join([]string{
			"MaxTimeToConsistency:10", "DefaultTestTimeout:15", "GatewayMustHaveCondition:15", "GatewayMustHaveAddress:15",
			"GatewayListenersMustHaveConditions:15", "GatewayStatusMustHaveListeners:15", "HTTPRouteMustHaveCondition:15",
			"TLSRouteMustHaveCondition:15", "TCPRouteMustHaveCondition:15", "UDPRouteMustHaveCondition:15",
			"RouteMustHaveParents:15", "LatestObservedGenerationSet:15", "HTTPRouteMustNotHaveParents:15",
			"ListenerSetMustHaveCondition:15", "ListenerSetListenersMustHaveConditions:15", "NamespacesMustBeReady:60",
		}, ";"))
	}
	return list
}

func join(names []features.FeatureName) string {
	var all []string
	for _, name := range names {
		all = append(all, string(name))
	}
	return strings.Join(all, ",")
}

// outcome is the line of a test's end.
var outcome = regexp.MustCompile(`^=== OUTCOME ((passed|failed): .*)`)

// runSuite runs the suite in this network namespace, and shows how tests end. All that it says is in the log.
func runSuite(t *testing.T, cp *lab.ControlPlane, log string, options []string) (passed bool) {
	t.Helper()
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Logf("the suite's log: %s", log)
	cmd := exec.CommandContext(t.Context(), lab.Executable(t, suite.Image), options...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cp.Kubeconfig)
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	all := bufio.NewReader(io.TeeReader(said, file))
	for {
		line, err := all.ReadString('\n')
		if found := outcome.FindStringSubmatch(line); found != nil {
			t.Log(found[1])
		}
		if err != nil {
			break
		}
	}
	return cmd.Wait() == nil
}

// logDir is where logs are kept after the run.
func logDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../.run/conformance")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func keepLog(t *testing.T, gw *pod.Pod, path string) {
	t.Helper()
	log, err := gw.Log()
	if err == nil {
		err = os.WriteFile(path, []byte(log), 0o644)
	}
	if err != nil {
		t.Errorf("keep the gateway's log: %v", err)
	}
}
