package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// maxSocketPath is the longest path of a socket that the kernel accepts, in bytes.
const maxSocketPath = 107

// options are the demo's settings.
type options struct {
	once      bool
	manifests string // the directory that kube-sync follows
	kubeSync  string // the executable
	conf      string // the kong.conf of the image
	dir       string // for everything that the demo writes
	standIn   bool   // even if there is a Kong

	http, https, health, metrics, shop, blog port
}

// port is a port on loopback, and the flag that sets it.
type port struct {
	number int
	how    string
}

func (p port) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)) }

func parseOptions(args []string, getenv func(string) string) (*options, error) {
	o := &options{}
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
	return o, wrong
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
	if len(o.adminSocket()) > maxSocketPath {
		return fmt.Errorf("socket path %s is too long: choose a shorter directory with -dir", o.adminSocket())
	}
	// The gateway opens some of these ports much later: report now what is wrong.
	for _, p := range []port{o.http, o.https, o.health, o.metrics} {
		l, err := p.listen()
		if err != nil {
			return err
		}
		l.Close()
	}
	return o.clear()
}

// clear empties the gateway's directory. With the configuration of an earlier run, the gateway would
// be ready before it has the present one.
func (o *options) clear() error {
	if c, err := net.Dial("unix", o.adminSocket()); err == nil {
		c.Close()
		return fmt.Errorf("another gateway runs in %s: stop it or choose another directory with -dir", o.prefix())
	}
	if err := os.RemoveAll(o.prefix()); err != nil {
		return fmt.Errorf("directory for the gateway's files (-dir): %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(o.adminSocket()), 0o750); err != nil {
		return fmt.Errorf("directory for the gateway's files (-dir): %w", err)
	}
	return nil
}

// listen opens the port. An error names it and the setting.
func (p port) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", p.address())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use by another process: stop it or choose another port with %s", p.number, p.how)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on port %d (%s): %w", p.number, p.how, err)
	}
	return l, nil
}

// prefix returns the directory of the gateway. Kong and the stand-in have their own.
func (o *options) prefix() string {
	if !o.withKong() {
		return filepath.Join(o.dir, "stand-in")
	}
	return filepath.Join(o.dir, "kong")
}

func (o *options) adminSocket() string { return filepath.Join(o.prefix(), "sockets", "admin.sock") }

func (o *options) logFile() string { return filepath.Join(o.prefix(), "gateway.log") }
