package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kube-sync/kube-sync/plugin/cli/collect"
	"github.com/kube-sync/kube-sync/plugin/cli/doctor"
	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/translate"
)

// collectWithin limits the making of a bundle.
const collectWithin = 5 * time.Minute

// collectBundle writes a bundle for a bug report.
func collectBundle(t terminal, args []string) error {
	var access input.Access
	var prefix, path string
	now := time.Now()
	f := t.flags("collect", "[--output FILE] [--kubeconfig FILE] [--context CONTEXT] [--namespaces NAMESPACES]")
	f.StringVar(&path, "output", "kube-sync-"+now.UTC().Format("20060102-150405")+".tar.gz", "the `FILE` to write, or - for standard output")
	f.StringVar(&prefix, "kong-prefix", "", "Kong's `PREFIX`, in the gateway's container; found by itself in ours")
	access.Flags(f)
	if err := t.parse(f, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectWithin)
	defer cancel()
	c := collect.Collector{
		Version: Version, Doctor: newDoctor(access, inside(prefix)), Now: now,
		Options: func(p doctor.Patient) translate.Options { return offline(p.Settings) },
	}
	if c.Doctor.Clients != nil {
		c.Objects, c.Unread = input.Cluster(ctx, access)
	}
	left, err := t.writeFile(path, func(out io.Writer) ([]string, error) { return c.Write(ctx, out) })
	for _, what := range left {
		fmt.Fprintln(t.err, "left out:", what)
	}
	if err == nil && path != "-" {
		fmt.Fprintf(t.err, "%s has no secrets that kube-sync knows of; look into it before you publish it\n", path)
	}
	return err
}

// writeFile writes a new file that only its owner can read, or standard output.
func (t terminal) writeFile(path string, write func(io.Writer) ([]string, error)) ([]string, error) {
	if path == "-" {
		return write(t.out)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	left, err := write(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return left, err
}
