package agent

import (
	"context"
	"log/slog"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch"
)

// runningReporter is a reporter with work of its own to do.
type runningReporter interface {
	watch.Reporter
	Run(ctx context.Context) error
}

// source gives the cluster that the settings name, or the directory of manifests in
// its place, and whom to report to. The server is told which kinds are read.
func source(s settings.Settings, server *serve.Server, log *slog.Logger) (watch.Source, runningReporter, error) {
	if s.Manifests != "" {
		files := watch.NewFiles(watch.FilesOptions{Paths: []string{s.Manifests}, Log: log})
		return files, idle{watch.NewLogReporter(log)}, nil
	}
	access := watch.Access{Kubeconfig: s.Kubeconfig, Server: s.APIServerHost}
	config, err := access.RESTConfig()
	if err != nil {
		return nil, nil, err
	}
	cluster, err := watch.NewCluster(watch.ClusterOptions{
		RESTConfig: config, Namespaces: s.WatchNamespaces, Log: log,
		QPS: float32(s.APIServerQPS), Burst: s.APIServerBurst,
		Reading: func(r watch.Reading) {
			server.SetKind(r.Resource.Group, string(r.Kind), r.Version, string(r.State))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	writer, err := watch.NewWriter(cluster, watch.WriterOptions{
		UpdateStatus:      s.UpdateStatus,
		PublishService:    named(s.PublishService),
		Addresses:         s.PublishStatusAddresses,
		PublishServiceUDP: named(s.PublishServiceUDP),
		AddressesUDP:      s.PublishStatusAddressesUDP,
		EmitEvents:        s.EmitEvents,
		Lease:             watch.LeaseOptions{Name: s.ElectionID, Namespace: s.ElectionNamespace},
		ReportingInstance: s.PodName,
		Log:               log,
	})
	return cluster, writer, err
}

// named is nil for what has no name.
func named(service types.NamespacedName) *types.NamespacedName {
	if service.Name == "" {
		return nil
	}
	return &service
}

// idle is a reporter that has nothing to do between reports.
type idle struct{ watch.Reporter }

// Run implements runningReporter.
func (idle) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
