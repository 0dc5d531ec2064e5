package main

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/plugin/agent"
	"github.com/kube-sync/kube-sync/plugin/cli"
	"github.com/kube-sync/kube-sync/plugin/datapath"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/plugin/serve/page"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/plugin/tracing"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/manifest"
	"github.com/kube-sync/kube-sync/watch/report"
)

// journalFile is in Kong's prefix. It has the units that are being sent to Kong.
const journalFile = "kube-sync.sending"

// lastSpans is how long sending the last spans may take at the end.
const lastSpans = time.Second

func newRelay(prefix string, s settings.Settings, log *slog.Logger) *datapath.Relay {
	return datapath.New(datapath.Options{
		Prefix: prefix, Address: s.RelayAddress, Addresses: s.Addresses(), Memory: s.RelayMemory, Log: log,
	})
}

func newServer(s settings.Settings, relay *datapath.Relay, log *slog.Logger) *serve.Server {
	return serve.New(serve.Options{
		HealthAddress: s.HealthProbeAddress, MetricsAddress: s.MetricsAddress, ProfilesAddress: s.ProfilesAddress, DataPlane: s.Admin,
		Collectors: []prometheus.Collector{relay, cluster.RequestMetrics()}, Log: log,
	})
}

// runAgent keeps the local Kong and the relay in step with the cluster or with a directory of
// manifests until the context ends. It returns an error if the agent cannot start.
func runAgent(ctx context.Context, prefix string, s settings.Settings, relay *datapath.Relay, server *serve.Server, log *slog.Logger) error {
	admin, err := adminapi.NewClient(s.Admin, s.AdminTimeout)
	if err != nil {
		return err
	}
	tracer, endTracer, err := newTracer(ctx, s, log)
	if err != nil {
		return err
	}
	defer endTracer()
	source, reporter, err := newSource(s, server, tracer, log)
	if err != nil {
		return err
	}
	place, err := relay.Place()
	if err != nil {
		return err
	}
	recorder, desk := inspect.NewRecorder(), inspect.NewDesk()
	inspector := inspect.New(inspectOptions(s, admin, recorder, desk, source))
	group, ctx := errgroup.WithContext(ctx)
	run := func(part func(context.Context) error) {
		group.Go(func() error { return process.Recover(func() error { return part(ctx) }) })
	}
	run(source.Run)
	// Another gateway writes statuses from then on, while this one still answers requests.
	run(func(ctx context.Context) error { return reporter.Run(process.UntilEnding(ctx, prefix)) })
	run(func(ctx context.Context) error { return inspector.Serve(ctx, prefix, log) })
	run(func(ctx context.Context) error {
		return page.Run(ctx, page.Options{Address: s.StatusPageAddress, Inspector: inspector, Log: log})
	})
	run(func(ctx context.Context) error {
		if err := agent.AwaitKong(ctx, admin, server, s.AllowVulnerableKong, log); err != nil {
			return err
		}
		agent.Run(ctx, agent.Parts{
			Source: source, Graph: translate.New(s.Translation(place)), Gateway: newGateway(admin, relay, prefix, log),
			Reporter: reporter, Observer: server, Addresses: &agent.AddressPublisher{Prefix: prefix, Relay: relay},
			Recorder: recorder, Desk: desk, Tracer: tracer, Log: log,
		})
		return nil
	})
	return group.Wait()
}

// inspectOptions returns what the inspector of the gateway asks, and what it says about the gateway.
func inspectOptions(s settings.Settings, admin *adminapi.Client, recorder *inspect.Recorder, desk *inspect.Desk, source watch.Source) inspect.Options {
	o := inspect.Options{Admin: admin, Recorder: recorder, Desk: desk, Own: s.OwnAddresses, Gateway: inspect.Gateway{
		Pod: s.PodName, Namespace: s.PodNamespace, KubeSync: cli.Version, Class: s.IngressClass, Source: cmp.Or(s.Manifests, "cluster"),
	}}
	for _, service := range []types.NamespacedName{s.PublishService, s.PublishServiceUDP} {
		if service.Name != "" && !slices.Contains(o.Services, service) {
			o.Services = append(o.Services, service)
		}
	}
	if arriving, ok := source.(interface {
		AwaitArrival(ctx context.Context) error
	}); ok {
		o.Arrived = arriving.AwaitArrival
	}
	return o
}

// newTracer returns the tracer of changes, nil if it is off, and a function that sends the last spans.
func newTracer(ctx context.Context, s settings.Settings, log *slog.Logger) (*tracing.Tracer, func(), error) {
	if s.TracingEndpoint == "off" {
		return nil, func() {}, nil
	}
	tracer, end, err := tracing.New(ctx, tracing.Options{
		Endpoint: s.TracingEndpoint, Version: cli.Version, Pod: s.PodName, Namespace: s.PodNamespace, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	return tracer, func() {
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		_ = end(brief) // the error was logged
	}, nil
}

// newGateway returns the local Kong, with the journal of an earlier kube-sync.
func newGateway(admin *adminapi.Client, relay *datapath.Relay, prefix string, log *slog.Logger) *gateway.Gateway {
	kong := gateway.New(admin, relay)
	journal, err := gateway.OpenJournal(filepath.Join(prefix, journalFile), time.Now())
	if err != nil {
		log.Warn("What the previous kube-sync was sending is unknown", "error", err)
	}
	kong.UseJournal(journal)
	return kong
}

// runningReporter is a reporter that has to be run.
type runningReporter interface {
	agent.Reporter
	Run(ctx context.Context) error
}

// newSource returns the source that the settings name, a cluster or a directory of manifests, and
// its reporter. It tells the server which kinds are read.
func newSource(s settings.Settings, server *serve.Server, tracer *tracing.Tracer, log *slog.Logger) (watch.Source, runningReporter, error) {
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
		PublishService:    optional(s.PublishService),
		Addresses:         s.PublishStatusAddresses,
		PublishServiceUDP: optional(s.PublishServiceUDP),
		AddressesUDP:      s.PublishStatusAddressesUDP,
		EmitEvents:        s.EmitEvents,
		Lease:             report.LeaseOptions{Name: s.ElectionID, Namespace: s.ElectionNamespace},
		ReportingInstance: s.PodName,
		Written: func(w report.StatusWrite) {
			server.StatusWritten(w.Object.Kind, w.Stale, w.Err)
			tracer.StatusWritten(w.Change, w.Object, w.Began, w.Err)
		},
		Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	server.SetLease(writer.Leading)
	return c, writer, nil
}

// optional returns nil for a name that is empty.
func optional(service types.NamespacedName) *types.NamespacedName {
	if service.Name == "" {
		return nil
	}
	return &service
}

// idle is a reporter that does nothing between reports.
type idle struct{ agent.Reporter }

// Run implements runningReporter.
func (idle) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
