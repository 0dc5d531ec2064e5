package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// TestSuggestions holds that each suggestion makes the difference that it promises, and that the demo says
// what is wrong and that it was mended.
func TestSuggestions(t *testing.T) {
	onBoth(t, func(t *testing.T, args ...string) {
		d := startDemo(t, args...)
		for _, s := range suggestions {
			t.Run(s.file+" "+s.new, func(t *testing.T) { d.try(t, s) })
		}
	})
}

func TestFaultsAreSaid(t *testing.T) {
	d := startDemo(t, "-stand-in", "-kube-sync", build(t))
	for name, s := range map[string]suggestion{
		"parent":  {file: "gateway.yaml", old: "    - name: web\n", new: "    - name: wed\n", fault: "Gateway shop/wed is not among the manifests"},
		"section": {file: "gateway.yaml", old: "    - name: web\n", new: "    - {name: web, sectionName: tls}\n", fault: "NoMatchingParent"},
		"class":   {file: "gateway.yaml", old: "gatewayClassName: kong", new: "gatewayClassName: king", fault: "GatewayClass king is not among the manifests"},
		"backend": {file: "gateway.yaml", old: "name: shop, port: 80", new: "name: ship, port: 80", fault: "Service shop/ship does not exist"},
		"regex":   {file: "gateway.yaml", old: `type: PathPrefix, value: /orders`, new: `type: RegularExpression, value: "/orders("`, fault: "missing closing )"},
		"ingress": {file: "blog.yaml", old: "ingressClassName: kong", new: "ingressClassName: king", fault: "IngressClass king is not among the manifests"},
	} {
		t.Run(name, func(t *testing.T) { d.try(t, s) })
	}
	if said := d.out.String(); strings.Contains(said, "configuration refused") {
		t.Errorf("the demo prints questions of kube-sync to the gateway:\n%s", said)
	}
}

// demo is a running demo.
type demo struct {
	*options
	out *buffer
}

// startDemo starts a demo with manifests of its own, and waits until it follows them.
func startDemo(t *testing.T, args ...string) demo {
	t.Helper()
	o := testOptions(t, args...)
	o.manifests = examplesFor(t, o)
	d := demo{o, &buffer{}}
	o.out = d.out
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the demo ended with %v\n%s", err, tail(o.logFile(), 40))
		}
	})
	eventually.True(t, 5*time.Minute, "the demo follows the manifests", func() bool { return strings.Contains(d.out.String(), "Ctrl-C") })
	return d
}

// try makes a change, and takes it back.
func (d demo) try(t *testing.T, s suggestion) {
	file := filepath.Join(d.manifests, s.file)
	original, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(original), s.old, s.new)
	if changed == string(original) {
		t.Fatalf("%s does not have %q", file, s.old)
	}
	d.expect(t, s.before)
	from := len(d.out.String())
	d.write(t, file, changed)
	d.says(t, from, s.fault)
	d.expect(t, s.after)
	from = len(d.out.String())
	d.write(t, file, string(original))
	if s.fault != "" {
		d.says(t, from, "accepted")
	}
	d.expect(t, s.before)
}

func (d demo) write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// says waits until the demo says something.
func (d demo) says(t *testing.T, from int, part string) {
	t.Helper()
	eventually.True(t, time.Minute, "the demo says "+part, func() bool { return strings.Contains(d.out.String()[from:], part) })
}

// expect waits for the right answer. Without a host there is nothing to ask.
func (d demo) expect(t *testing.T, q question) {
	t.Helper()
	if q.host == "" {
		return
	}
	patient := *d.options
	patient.once = true
	if _, err := q.askPatiently(context.Background(), &patient); err != nil {
		t.Fatalf("%s: %v", q.curl(d.options), err)
	}
}

// buffer is a buffer for two goroutines.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestReadmeHasTheSuggestions(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suggestions {
		if !strings.Contains(string(readme), "\n* "+s.what) {
			t.Errorf("examples/README.md does not have: %s", s.what)
		}
	}
}
