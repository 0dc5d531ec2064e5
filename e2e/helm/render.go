package helm

import (
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	"sigs.k8s.io/yaml"
)

// kubernetes is the version of Kubernetes that Render renders for.
const kubernetes = "v1.36.0"

// Release holds the arguments of "helm install NAME chart --namespace NAMESPACE --values VALUES".
type Release struct {
	Name, Namespace string
	// Values is YAML.
	Values string
	// APIVersions are the API versions of the cluster besides Kubernetes' own.
	APIVersions []string
}

// Rendered is a rendered release.
type Rendered struct {
	// Documents are the manifests in the order in which Helm installs them, with their comments.
	Documents []string
	Notes     string
}

// Manifests returns all documents as one stream.
func (r Rendered) Manifests() string { return strings.Join(r.Documents, "---\n") }

// Render renders the chart in a directory as "helm template" does. Values that the chart's schema
// does not permit are an error.
func Render(dir string, r Release) (Rendered, error) {
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.DryRun, install.ClientOnly, install.Replace = true, true, true
	install.ReleaseName, install.Namespace = r.Name, r.Namespace
	install.APIVersions, install.KubeVersion = r.APIVersions, &chartutil.KubeVersion{Version: kubernetes, Major: "1", Minor: "36"}
	loaded, values, err := load(dir, r)
	if err != nil {
		return Rendered{}, err
	}
	made, err := install.Run(loaded, values)
	if err != nil {
		return Rendered{}, err
	}
	if len(made.Hooks) > 0 {
		return Rendered{}, fmt.Errorf("the chart has hooks, which are not rendered here")
	}
	return rendered(made), nil
}

func load(dir string, r Release) (*chart.Chart, map[string]any, error) {
	loaded, err := loader.LoadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(r.Values), &values); err != nil {
		return nil, nil, fmt.Errorf("values: %w", err)
	}
	return loaded, values, nil
}

func rendered(made *release.Release) Rendered {
	r := Rendered{Notes: made.Info.Notes}
	for document := range strings.SplitSeq("\n"+made.Manifest, "\n---\n") {
		// The first line names the template.
		lines := strings.SplitAfterN(strings.TrimLeft(document, "\n"), "\n", 2)
		if len(lines) == 2 && strings.HasPrefix(lines[0], "# Source: ") {
			r.Documents = append(r.Documents, strings.TrimSpace(lines[1])+"\n")
		}
	}
	return r
}
