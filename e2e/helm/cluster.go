package helm

import (
	"context"
	"fmt"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// within bounds the time of an installation or an upgrade.
const within = 5 * time.Minute

// Cluster is where releases are installed.
type Cluster struct {
	Kubeconfig string
	// Chart is the directory of the chart.
	Chart string
}

func (c Cluster) configuration(t testing.TB, namespace string) *action.Configuration {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Namespace = &c.Kubeconfig, &namespace
	configuration := &action.Configuration{}
	log := func(format string, args ...any) { t.Logf("helm: "+format, args...) }
	if err := configuration.Init(flags, namespace, "secret", log); err != nil {
		t.Fatal(err)
	}
	return configuration
}

// Install installs a release as "helm install --create-namespace" does. With wait it returns once everything is ready.
func (c Cluster) Install(t testing.TB, r Release, wait bool) (Rendered, error) {
	t.Helper()
	install := action.NewInstall(c.configuration(t, r.Namespace))
	install.ReleaseName, install.Namespace, install.CreateNamespace = r.Name, r.Namespace, true
	install.Wait, install.Timeout = wait, within
	loaded, values, err := load(c.Chart, r)
	if err != nil {
		return Rendered{}, err
	}
	made, err := install.RunWithContext(t.Context(), loaded, values)
	if err != nil {
		return Rendered{}, fmt.Errorf("helm install %s: %w", r.Name, err)
	}
	return rendered(made), nil
}

// Upgrade upgrades a release to other values as "helm upgrade --reset-values" does.
func (c Cluster) Upgrade(t testing.TB, r Release, wait bool) (Rendered, error) {
	t.Helper()
	upgrade := action.NewUpgrade(c.configuration(t, r.Namespace))
	upgrade.Namespace, upgrade.ResetValues = r.Namespace, true
	upgrade.Wait, upgrade.Timeout = wait, within
	loaded, values, err := load(c.Chart, r)
	if err != nil {
		return Rendered{}, err
	}
	made, err := upgrade.RunWithContext(t.Context(), r.Name, loaded, values)
	if err != nil {
		return Rendered{}, fmt.Errorf("helm upgrade %s: %w", r.Name, err)
	}
	return rendered(made), nil
}

// Uninstall removes a release.
func (c Cluster) Uninstall(ctx context.Context, t testing.TB, r Release) error {
	t.Helper()
	uninstall := action.NewUninstall(c.configuration(t, r.Namespace))
	uninstall.Wait, uninstall.Timeout = true, within
	if _, err := uninstall.Run(r.Name); err != nil {
		return fmt.Errorf("helm uninstall %s: %w", r.Name, err)
	}
	return ctx.Err()
}
