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

// demoVariable in the environment makes this executable the demo.
const demoVariable = "TEST_AS_DEMO"

// TestMain lets the demo start this executable as the stand-in, and tests start it as the demo.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == standInVerb {
		runStandIn(os.Args[2])
		return
	}
	if os.Getenv(demoVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestOnce runs the demo with the stand-in and, where it is on PATH, with Kong.
func TestOnce(t *testing.T) {
	onBoth(t, once)
}

// onBoth runs a test with the stand-in and, where it is on PATH, with Kong.
func onBoth(t *testing.T, test func(t *testing.T, args ...string)) {
	kubeSync := build(t)
	t.Run("stand-in", func(t *testing.T) { test(t, "-stand-in", "-kube-sync", kubeSync) })
	t.Run("Kong", func(t *testing.T) {
		kongtest.Need(t)
		test(t, "-kube-sync", kubeSync)
	})
}

// build builds kube-sync and returns its path.
func build(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds kube-sync and starts a gateway")
	}
	kubeSync := filepath.Join(t.TempDir(), "kube-sync")
	if out, err := exec.Command("go", "build", "-o", kubeSync, "../../plugin").CombinedOutput(); err != nil {
		t.Fatalf("building kube-sync: %v\n%s", err, out)
	}
	return kubeSync
}

func once(t *testing.T, args ...string) {
	o := testOptions(t, append(args, "-once")...)
	o.manifests = examplesFor(t, o)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := run(ctx, o); err != nil {
		t.Fatalf("%v\n%s", err, tail(o.logFile(), 40))
	}
	if err := free(o.http, o.https, o.health, o.metrics, o.page, o.shop, o.blog); err != nil {
		t.Errorf("something is left behind: %v", err)
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
