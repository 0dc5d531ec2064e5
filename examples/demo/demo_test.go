package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// TestMain lets the demo start this executable as the stand-in.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == standInVerb {
		runStandIn(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// TestOnce runs the demo with the stand-in and, where it is on PATH, with Kong.
func TestOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("builds kube-sync and starts a gateway")
	}
	kubeSync := filepath.Join(t.TempDir(), "kube-sync")
	if out, err := exec.Command("go", "build", "-o", kubeSync, "../../plugin").CombinedOutput(); err != nil {
		t.Fatalf("building kube-sync: %v\n%s", err, out)
	}
	t.Run("stand-in", func(t *testing.T) { once(t, "-stand-in", "-kube-sync", kubeSync) })
	t.Run("Kong", func(t *testing.T) {
		kongtest.Need(t)
		once(t, "-kube-sync", kubeSync)
	})
}

func once(t *testing.T, args ...string) {
	o := testOptions(t, append(args, "-once")...)
	o.manifests = examplesFor(t, o)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := run(ctx, o); err != nil {
		t.Fatalf("%v\n%s", err, tail(o.logFile(), 40))
	}
	for _, p := range []port{o.http, o.https, o.health, o.metrics, o.shop, o.blog} {
		l, err := p.listen()
		if err != nil {
			t.Errorf("something is left behind: %v", err)
			continue
		}
		l.Close()
	}
}

// examplesFor copies the examples, with the ports of the test's backends.
func examplesFor(t *testing.T, o *options) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(o.manifests, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	ports := strings.NewReplacer("port: 18081", "port: "+strconv.Itoa(o.shop.number), "port: 18082", "port: "+strconv.Itoa(o.blog.number))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(ports.Replace(string(data))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
