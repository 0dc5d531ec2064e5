package cli

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/plugin/cli/doctor"
	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// examineWithin limits an examination.
const examineWithin = 2 * time.Minute

// examine prints what is in order about a gateway, and what to do.
func examine(t terminal, args []string) error {
	var access input.Access
	var prefix string
	printer := output.New(t.out)
	f := t.flags("doctor", "[--kubeconfig FILE] [--context CONTEXT] [-o table|json|yaml]")
	access.ClusterFlags(f)
	f.StringVar(&prefix, "kong-prefix", "", "Kong's `PREFIX`, in the gateway's container; found by itself in ours")
	printer.Flag(f)
	if err := t.parse(f, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), examineWithin)
	defer cancel()
	reports := newDoctor(access, inside(prefix)).Examine(ctx)
	err := printer.Print(reports, func(p *output.Page) {
		for _, r := range reports {
			r.Page(p)
		}
	})
	if err != nil {
		return err
	}
	for _, r := range reports {
		if r.Failed() {
			return errFindings
		}
	}
	return nil
}

// inside returns what is known in the container of a gateway; nil elsewhere.
func inside(prefix string) *doctor.Inside {
	if prefix = cmp.Or(prefix, kongPrefix()); prefix == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(prefix, ".kong_env")); err != nil {
		return nil
	}
	return doctor.NewInside(prefix, os.Environ())
}

// newDoctor returns a doctor for a cluster. In the container of a gateway, that is the gateway's own
// unless another one is named.
func newDoctor(access input.Access, in *doctor.Inside) doctor.Doctor {
	d := doctor.Doctor{Inside: in}
	config, err := access.RESTConfig()
	if in != nil && access.Kubeconfig == "" && access.Context == "" {
		config, err = cluster.Access{Kubeconfig: in.Settings.Kubeconfig, Server: in.Settings.APIServerHost}.RESTConfig()
	}
	if err != nil {
		d.Unreachable = err
		return d
	}
	d.Server = config.Host
	config.Timeout = 20 * time.Second
	if d.HTTP, d.Unreachable = rest.HTTPClientFor(config); d.Unreachable != nil {
		return d
	}
	d.Clients, d.Unreachable = cluster.NewClients(config, 200, 400, slog.New(slog.NewTextHandler(io.Discard, nil)))
	return d
}
