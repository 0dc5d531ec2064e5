package agent

import (
	"context"
	"log/slog"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/manifest"
	"github.com/kube-sync/kube-sync/watch/report"
)

// runningReporter is a reporter with work of its own to do.
type runningReporter interface {
	Reporter
	Run(ctx context.Context) error
}

// source returns the cluster or the directory of manifests that the settings name, and its
// reporter. It tells the server which kinds are read.
func source(s settings.Settings, server *serve.Server, log *slog.Logger) (watch.Source, runningReporter, error) {
	if s.Manifests != "" {
		files := manifest.NewFiles(manifest.Options{Paths: []string{s.Manifests}, Log: log})
		return files, idle{report.NewLogReporter(log)}, nil
	}
	access := cluster.Access{Kubeconfig: s.Kubeconfig, Server: s.APIServerHost}
	config, err := access.RESTConfig()
	if err != nil {
		return nil, nil, err
	}
	c, err := cluster.New(cluster.Options{
		RESTConfig: config, Namespaces: s.WatchNamespaces, Log: log,
		QPS: float32(s.APIServerQPS), Burst: s.APIServerBurst,
		KindState: func(s cluster.KindState) {
			server.SetKind(s.Resource.Group, string(s.Kind), s.Version, string(s.State))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	writer, err := report.NewWriter(c, report.Options{
		UpdateStatus:      s.UpdateStatus,
		PublishService:    named(s.PublishService),
		Addresses:         s.PublishStatusAddresses,
		PublishServiceUDP: named(s.PublishServiceUDP),
		AddressesUDP:      s.PublishStatusAddressesUDP,
		EmitEvents:        s.EmitEvents,
		Lease:             report.LeaseOptions{Name: s.ElectionID, Namespace: s.ElectionNamespace},
		ReportingInstance: s.PodName,
		Log:               log,
	})
	return c, writer, err
}

// named is nil for what has no name.
func named(service types.NamespacedName) *types.NamespacedName {
	if service.Name == "" {
		return nil
	}
	return &service
}

// idle is a reporter that has nothing to do between reports.
type idle struct{ Reporter }

// Run implements runningReporter.
func (idle) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
