package translate_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/cases"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

var update = flag.Bool("update", false, "update the golden files")

// testdata are the files of the golden cases.
const testdata = "testdata/*.txtar"

// TestGolden translates each case of testdata. A case is one file: a sentence with the rule that it
// tests, the input, optional options, the configuration, and the verdicts and statuses.
func TestGolden(t *testing.T) {
	cases.Each(t, testdata, func(t *testing.T, file string, archive *txtar.Archive) {
		config, status := golden(t, archive)
		if *update {
			set(archive, "kong.yaml", config)
			set(archive, "status", status)
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		for name, got := range map[string][]byte{"kong.yaml": config, "status": status} {
			if want := section(archive, name); !bytes.Equal(want, got) {
				t.Errorf("%s differs; run go test ./translate -update to update it\n--- want\n%s\n--- got\n%s", name, want, got)
			}
		}
	})
}

// goldenGraph returns the graph of a case.
func goldenGraph(t *testing.T, archive *txtar.Archive) *unit.Graph {
	t.Helper()
	g := translate.New(options(t, archive))
	manifests, err := manifest.Read("input.yaml", bytes.NewReader(section(archive, "input.yaml")), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests.Objects {
		g.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	return g
}

func golden(t *testing.T, archive *txtar.Archive) (config, status []byte) {
	t.Helper()
	g := goldenGraph(t, archive)
	if !options(t, archive).Tenancy.AllowVaults {
		wantNoEnvironment(t, g)
	}
	var entities []*kong.Entity
	for view := range g.Units() {
		entities = append(entities, view.Entities...)
	}
	config, err := yaml.JSONToYAML(kong.Declarative(kong.Sorted(entities)))
	if err != nil {
		t.Fatal(err)
	}
	config = append(config, relays(t, entities)...)
	var b bytes.Buffer
	for _, verdicts := range g.AllVerdicts() {
		for _, v := range verdicts {
			fmt.Fprintf(&b, "%s: %s: %s\n", v.Object, v.Reason, v.Message)
		}
	}
	for key, status := range g.Statuses() {
		b.Write(written(t, key, g.Object(key), status))
		for _, object := range g.Owned(key) {
			b.Write(ownedObject(t, key, object))
		}
	}
	return config, b.Bytes()
}

// relays returns the configuration of the relay, as more documents.
func relays(t *testing.T, entities []*kong.Entity) []byte {
	t.Helper()
	_, local := kong.Split(entities)
	var document []byte
	for _, e := range local {
		text, err := yaml.JSONToYAML(e.JSON)
		if err != nil {
			t.Fatal(err)
		}
		document = append(append(document, "--- # "+string(e.Type)+"\n"...), text...)
	}
	return document
}

// written returns a status as it is written into an object without a status. It omits what would
// change with each run or is the same in all cases: times, features and defaults of parents.
func written(t *testing.T, key unit.Key, object unit.Object, status unit.Status) []byte {
	t.Helper()
	whole, differs := status.Merge(object, unit.Moment{Addresses: []string{"192.0.2.1"}})
	if !differs {
		return nil
	}
	document, err := yaml.Marshal(map[string]any{key.String(): whole})
	if err != nil {
		t.Fatal(err)
	}
	return filledIn.ReplaceAll(leftOut.ReplaceAll(document, nil), []byte("parentRef:\n"))
}

var filledIn = regexp.MustCompile(`parentRef:\n +group: gateway\.networking\.k8s\.io\n(?: +kind: Gateway\n)?`)

var leftOut = regexp.MustCompile(`lastTransitionTime: null\n *|  supportedFeatures:\n(?:  - name: .*\n)+`)

// ownedObject returns an object that another one owns, as a document.
func ownedObject(t *testing.T, owner unit.Key, object unit.Object) []byte {
	t.Helper()
	document, err := yaml.Marshal(map[string]any{owner.String() + " owns": object})
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func options(t *testing.T, archive *txtar.Archive) translate.Options {
	t.Helper()
	o := translate.Options{IngressClass: "kong", Gateway: gatewayapi.Options{Relay: gatewayapi.Relay{Address: netip.MustParseAddrPort("127.0.0.1:10264")}}}
	var set struct {
		backend.Options
		AllowLua            bool
		Isolated            bool
		IsolatedPlugins     []string
		Fields              []tenancy.FieldValue
		AllowVaults         bool
		CustomEntityTypes   []string
		ConsumersEverywhere bool
		Pool                gatewayapi.Pool
		NamespacePorts      int
		Ports               map[gatewayv1.ProtocolType][]int32
		Listens             []gatewayapi.Listen
		FrontUDP            types.NamespacedName
		Limits              limit.Limits
		LastResort          certificate.LastResort
	}
	if err := yaml.UnmarshalStrict(section(archive, "options.yaml"), &set); err != nil {
		t.Fatal(err)
	}
	o.Backend = set.Options
	o.Tenancy = tenancy.Options{AllowLua: set.AllowLua, Isolated: set.Isolated, IsolatedPlugins: set.IsolatedPlugins, Fields: set.Fields, AllowVaults: set.AllowVaults, CustomEntityTypes: set.CustomEntityTypes, ConsumersEverywhere: set.ConsumersEverywhere}
	o.Limits = set.Limits
	o.LastResort = set.LastResort
	o.Gateway.Pool, o.Gateway.Ports = set.Pool, set.Ports
	o.Gateway.Listens, o.Gateway.FrontUDP = set.Listens, set.FrontUDP
	o.Gateway.NamespacePorts = cmp.Or(set.NamespacePorts, limit.Unlimited) // the pools are small
	o.Gateway.Front = types.NamespacedName{Namespace: "kong", Name: "kong-proxy"}
	return o
}

func section(archive *txtar.Archive, name string) []byte {
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func set(archive *txtar.Archive, name string, data []byte) {
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		archive.Files = append(archive.Files, txtar.File{Name: name})
		i = len(archive.Files) - 1
	}
	archive.Files[i].Data = data
}
