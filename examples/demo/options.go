package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// endTime is how long the gateway of an earlier run may take to end before it is in the way.
const endTime = 5 * time.Second

// options are the demo's settings.
type options struct {
	once      bool
	manifests string // the directory that kube-sync follows
	kubeSync  string // the executable
	conf      string // the kong.conf of the image
	dir       string // for everything that the demo writes
	standIn   bool   // even if there is a Kong
	choice    choice // of the gateway

	out io.Writer // of what the demo says

	http, https, health, metrics, page, shop, blog port
}

func parseOptions(args []string, getenv func(string) string) (*options, error) {
	o := &options{out: os.Stdout}
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.BoolVar(&o.once, "once", false, "exit after the questions, with status 0 if all answers are right")
	flags.BoolVar(&o.standIn, "stand-in", false, "use the stand-in gateway even if there is a kong on PATH")
	flags.StringVar(&o.manifests, "manifests", "examples/local", "`directory` of manifests to follow")
	flags.StringVar(&o.kubeSync, "kube-sync", "bin/kube-sync", "kube-sync's executable `file`")
	flags.StringVar(&o.dir, "dir", ".run", "`directory` for the gateway's files")
	flags.StringVar(&o.conf, "conf", "kong-conf/kong.conf", "`file` with the settings of the gateway in the pod")
	var wrong error
	for _, p := range []struct {
		port           *port
		name, variable string
		standard       int
		usage          string
	}{
		{&o.http, "http-port", "HTTP_PORT", 8000, "`port` of the gateway"},
		{&o.https, "https-port", "HTTPS_PORT", 8443, "`port` of the gateway with TLS"},
		{&o.health, "health-port", "HEALTH_PORT", 10254, "`port` of kube-sync's /readyz"},
		{&o.metrics, "metrics-port", "METRICS_PORT", 10255, "`port` of kube-sync's /metrics"},
		{&o.page, "page-port", "PAGE_PORT", 10256, "`port` of the status page"},
		{&o.shop, "shop-port", "SHOP_PORT", 18081, "`port` of the backend shop, as in shop.yaml"},
		{&o.blog, "blog-port", "BLOG_PORT", 18082, "`port` of the backend blog, as in blog.yaml"},
	} {
		if text := getenv(p.variable); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				wrong = errors.Join(wrong, fmt.Errorf("%s=%s is not a port", p.variable, text))
			}
			p.standard = n
		}
		p.port.how = fmt.Sprintf("-%s or %s=PORT", p.name, p.variable)
		flags.IntVar(&p.port.number, p.name, p.standard, p.usage+" (or "+p.variable+")")
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for _, path := range []*string{&o.manifests, &o.kubeSync, &o.dir, &o.conf} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, err
		}
		*path = absolute
	}
	o.choice = choose(o.standIn, docker)
	return o, errors.Join(wrong, o.settleDir())
}

// check looks for problems before anything starts.
func (o *options) check() error {
	if _, err := os.Stat(o.kubeSync); err != nil {
		return fmt.Errorf("kube-sync's executable (-kube-sync; make build makes it): %w", err)
	}
	if info, err := os.Stat(o.manifests); err != nil || !info.IsDir() {
		return fmt.Errorf("manifests (-manifests): %s is not a directory", o.manifests)
	}
	if _, err := os.Stat(o.conf); err != nil {
		return fmt.Errorf("settings of the gateway (-conf): %w", err)
	}
	if err := o.awaitPrevious(); err != nil {
		return err
	}
	// kube-sync would go on without a port, and the backends start later: report now what is wrong.
	if err := free(o.http, o.https, o.health, o.metrics, o.page, o.shop, o.blog); err != nil {
		return err
	}
	return o.clear()
}

// awaitPrevious waits for a moment until the gateway of an earlier run has ended: one whose demo was
// killed still has to stop its processes.
func (o *options) awaitPrevious() error {
	for deadline := time.Now().Add(endTime); ; time.Sleep(50 * time.Millisecond) {
		socket := o.usedSocket()
		if socket == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("another gateway runs in %s: stop it or choose another directory with -dir", filepath.Dir(filepath.Dir(socket)))
		}
	}
}

// usedSocket returns the socket of a gateway that runs in the directory, or "". Kong and the stand-in
// use the same ports.
func (o *options) usedSocket() string {
	for _, name := range gateways {
		socket := filepath.Join(o.dir, name, "sockets", "admin.sock")
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return socket
		}
	}
	return ""
}

// clear empties the gateway's directory. With the configuration of an earlier run, the gateway would
// be ready before it has the present one.
func (o *options) clear() error {
	if err := os.RemoveAll(o.prefix()); err != nil {
		return fmt.Errorf("directory for the gateway's files (-dir): %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(o.adminSocket()), 0o750); err != nil {
		return fmt.Errorf("directory for the gateway's files (-dir): %w", err)
	}
	return o.link()
}

// gateways are the directories of Kong and the stand-in.
var gateways = []string{"kong", "stand-in"}

// prefix returns the directory of the gateway.
func (o *options) prefix() string {
	if o.choice.runsKong() {
		return filepath.Join(o.dir, gateways[0])
	}
	return filepath.Join(o.dir, gateways[1])
}

func (o *options) adminSocket() string { return filepath.Join(o.prefix(), "sockets", "admin.sock") }

func (o *options) logFile() string { return filepath.Join(o.prefix(), "gateway.log") }
