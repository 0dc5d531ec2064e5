package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/plugin/cli/status"
	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/plugin/process"
)

const (
	// askWithin limits questions to a gateway or a cluster.
	askWithin = 30 * time.Second
	// defaultPrefix is Kong's.
	defaultPrefix = "/usr/local/kong"
)

// errElsewhere says that only the gateway itself can be waited for.
var errElsewhere = errors.New("--wait asks the gateway itself: run it in the container, such as with kubectl exec -n NAMESPACE POD -- kube-sync status --wait")

// showStatus prints the state of the gateway in whose container it runs, or what a cluster knows about
// its gateways.
func showStatus(t terminal, args []string) error {
	var access input.Access
	var prefix string
	var wait bool
	var within time.Duration
	printer := output.New(t.out)
	f := t.flags("status", "[-wait [-timeout 5m]] [-kubeconfig FILE] [-context CONTEXT] [-o table|json|yaml]")
	f.BoolVar(&wait, "wait", false, "first wait until every worker uses everything that the cluster holds now")
	f.DurationVar(&within, "timeout", 5*time.Minute, "how long -wait waits")
	f.StringVar(&prefix, "kong-prefix", "", "Kong's `PREFIX`, in the gateway's container; found by itself in ours")
	access.ClusterFlags(f)
	printer.Flag(f)
	if err := t.parse(f, args); err != nil {
		return err
	}
	named := prefix != ""
	prefix = cmp.Or(prefix, kongPrefix(), defaultPrefix)
	_, err := os.Stat(inspect.SocketPath(prefix))
	elsewhere := access.Kubeconfig != "" || access.Context != ""
	switch {
	case named && err != nil:
		return fmt.Errorf("kube-sync does not serve its state in %s; Kong's log says why it does not run: %w", prefix, err)
	case !elsewhere && err == nil:
		return gatewayStatus(inspect.NewClient(prefix), wait, within, printer)
	case wait:
		return errElsewhere
	}
	return clusterStatus(access, printer)
}

// kongPrefix returns the prefix of the Kong in this container; "" if there is none.
func kongPrefix() string {
	if prefix := os.Getenv("KONG_PREFIX"); prefix != "" {
		return prefix
	}
	prefix, _ := process.Prefix()
	return prefix
}

func gatewayStatus(gateway *inspect.Client, wait bool, within time.Duration, printer *output.Printer) error {
	if wait {
		ctx, cancel := context.WithTimeout(context.Background(), within+askWithin)
		defer cancel()
		if err := gateway.AwaitEffective(ctx, within); err != nil {
			return fmt.Errorf("not effective within %s: %w", within, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	s, err := gateway.Status(ctx)
	if err != nil {
		return err
	}
	return printer.Print(s, func(p *output.Page) { status.OfGateway(p, s) })
}

func clusterStatus(access input.Access, printer *output.Printer) error {
	config, err := access.RESTConfig()
	if err != nil {
		return err
	}
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	if _, err := core.Discovery().ServerVersion(); err != nil {
		return fmt.Errorf("the cluster does not answer: %w", err)
	}
	c := status.OfCluster(ctx, core, time.Now())
	return printer.Print(c, c.Page)
}
