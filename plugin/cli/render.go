package cli

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// files collects the values of a flag that may be given several times.
type files []string

func (f *files) String() string { return fmt.Sprint([]string(*f)) }

func (f *files) Set(value string) error { *f = append(*f, value); return nil }

// render prints the configuration that manifests make, and the verdicts on them if asked. It prints
// all of it or nothing.
func render(t terminal, args []string) error {
	var (
		format  string
		status  bool
		secrets bool
	)
	given := settings.Defaults()
	f := t.flags("render", "FILE... [-o yaml|json] [-status] [-show-secrets]")
	f.StringVar(&format, "o", "yaml", "output `FORMAT`: yaml or json")
	f.BoolVar(&status, "status", false, "also print the verdicts on the objects, as a second document")
	f.BoolVar(&secrets, "show-secrets", false, "print private keys, credentials and the values of plugins that come from Secrets; without it, they are "+hidden)
	settingFlags(f, &given)
	paths, err := t.parseFiles(f, args)
	if err != nil {
		return err
	}
	if format != "yaml" && format != "json" {
		fmt.Fprintf(t.err, "kube-sync render: -o is yaml or json, not %q\n", format)
		f.Usage()
		return errUsage
	}
	graph, err := t.translate(offline(given), paths)
	if err != nil {
		return err
	}
	out, err := renderConfig(graph, format, secrets)
	if err != nil {
		return err
	}
	if status {
		verdicts, err := renderStatus(graph, format)
		if err != nil {
			return err
		}
		if format == "yaml" {
			out = append(out, "---\n"...)
		}
		out = append(out, verdicts...)
	}
	_, err = t.out.Write(out)
	return err
}

// translate reads and translates manifests.
func (t terminal) translate(o translate.Options, paths []string) (*unit.Graph, error) {
	manifests, err := manifest.ReadFiles(paths, kinds.All())
	if err != nil {
		return nil, err
	}
	for _, i := range manifests.Ignored {
		fmt.Fprintf(t.err, "%s: %s is ignored: kube-sync does not read its kind\n", i.Position, unit.OneLine(i.Kind+" "+i.Name))
	}
	return graphOf(o, manifests), nil
}

func graphOf(o translate.Options, manifests manifest.Manifests) *unit.Graph {
	changes := make([]unit.Change, 0, len(manifests.Objects))
	for _, m := range manifests.Objects {
		changes = append(changes, unit.Change{Key: m.Key, Object: m.Object})
	}
	graph := translate.New(o)
	graph.Update(changes...)
	return graph
}

func renderConfig(graph *unit.Graph, format string, secrets bool) ([]byte, error) {
	var entities []*kong.Entity
	for view := range graph.Units() {
		entities = append(entities, view.Entities...)
	}
	if !secrets {
		if err := redact(entities); err != nil {
			return nil, err
		}
	}
	return encode(format, kong.Declarative(kong.Sorted(entities)))
}

// verdict is the form in which a verdict is printed.
type verdict struct {
	Object    string `json:"object"`
	Condition string `json:"condition,omitempty"`
	OK        bool   `json:"ok"`
	Reason    string `json:"reason"`
	Message   string `json:"message"`
}

func renderStatus(graph *unit.Graph, format string) ([]byte, error) {
	verdicts := []verdict{}
	for key, all := range graph.AllVerdicts() {
		for _, v := range all {
			verdicts = append(verdicts, verdict{key.String(), v.Condition, v.OK, v.Reason, v.Message})
		}
	}
	raw, err := json.Marshal(verdicts)
	if err != nil {
		return nil, err
	}
	return encode(format, raw)
}

// encode returns JSON in a format.
func encode(format string, raw []byte) ([]byte, error) {
	if format == "yaml" {
		return yaml.JSONToYAML(raw)
	}
	return append(raw, '\n'), nil
}
