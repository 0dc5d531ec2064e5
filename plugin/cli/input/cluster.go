package input

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kube-sync/kube-sync/watch/clientlog"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// Access says which cluster a command works on. The zero value is the cluster that kubectl would
// use; in a pod without a kubeconfig, the pod's own.
type Access struct {
	// Kubeconfig is the path of a kubeconfig file, Context a context in it.
	Kubeconfig, Context string
	// Namespaces limits what is read; empty for all namespaces.
	Namespaces []string
}

// Flags adds the flags that choose the cluster and what is read of it.
func (a *Access) Flags(f *flag.FlagSet) {
	a.ClusterFlags(f)
	a.namespaceFlag(f)
}

// ClusterFlags adds the flags that choose the cluster.
func (a *Access) ClusterFlags(f *flag.FlagSet) {
	f.StringVar(&a.Kubeconfig, "kubeconfig", "", "the kubeconfig `FILE`; the default is kubectl's, and in a pod the pod's own account")
	f.StringVar(&a.Context, "context", "", "the `CONTEXT` of the kubeconfig")
}

func (a *Access) namespaceFlag(f *flag.FlagSet) {
	f.Func("namespaces", "read only these `NAMESPACES` of the cluster, in comma-separated format; the default is all", func(value string) error {
		a.Namespaces = nil
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				a.Namespaces = append(a.Namespaces, name)
			}
		}
		return nil
	})
}

// RESTConfig returns the configuration of a client. It does not contact the API server.
func (a Access) RESTConfig() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = a.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: a.Context})
	config, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) && a.Kubeconfig == "" && a.Context == "" {
		if config, inPod := (cluster.Access{}).RESTConfig(); inPod == nil {
			return config, nil
		}
		return nil, fmt.Errorf("there is no cluster: neither KUBECONFIG nor %s names one, and this is not a pod with an account; give --kubeconfig", clientcmd.RecommendedHomeFile)
	}
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.UserAgent = "kube-sync"
	return config, nil
}

// Name returns the name of the cluster in messages: the context of the kubeconfig, or its server.
func (a Access) Name() string {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = a.Kubeconfig
	var raw api.Config
	if loaded, err := rules.Load(); err == nil {
		raw = *loaded
	}
	switch {
	case a.Context != "":
		return a.Context
	case raw.CurrentContext != "":
		return raw.CurrentContext
	}
	return "of this pod"
}

// Cluster lists all kinds of the cluster once, as the gateway reads them. Nothing is watched. If
// rights are missing, the error is [cluster.MissingRights], which names all of them.
func Cluster(ctx context.Context, a Access) (*Objects, error) {
	config, err := a.RESTConfig()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	snapshot, err := cluster.TakeSnapshot(clientlog.NewContext(ctx, log), cluster.Options{RESTConfig: config, Namespaces: a.Namespaces, Log: log, QPS: 200, Burst: 400})
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", a.Name(), err)
	}
	return FromSnapshot(snapshot), nil
}
