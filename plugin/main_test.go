package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// asMain is the variable that makes the test executable run main.
const asMain = "KUBE_SYNC_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	// The environment is empty, as with Kong.
	cmd.Env = []string{asMain + "=1"}
	return cmd
}

// Kong parses the whole standard output.
func TestDump(t *testing.T) {
	output, err := command("-dump", "-kong-prefix", "/kong_prefix").Output()
	if err != nil {
		t.Fatal(err)
	}
	var dump struct {
		Protocol string
		Plugins  []struct {
			Phases   []string
			Version  string
			Priority int
			Schema   json.RawMessage
		}
	}
	if err := json.Unmarshal(output, &dump); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if dump.Protocol != "ProtoBuf:1" || len(dump.Plugins) != 1 || dump.Plugins[0].Phases == nil || len(dump.Plugins[0].Phases) != 0 {
		t.Errorf("%s", output)
	}
}

func TestVerb(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		says string
		code int
	}{
		"version":                     {[]string{"version"}, "kube-sync", 0},
		"--version":                   {[]string{"--version"}, "kube-sync", 0},
		"nothing, and not under Kong": {nil, "kube-sync check", 2},
		"help":                        {[]string{"--help"}, "INGRESS_CLASS", 0},
		"unknown":                     {[]string{"frobnicate"}, "frobnicate", 2},
	} {
		cmd := command(tt.args...)
		output, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(output), tt.says) {
			t.Errorf("%s: exit %d: %s", name, code, output)
		}
	}
}

func TestThreeNumbers(t *testing.T) {
	for version, want := range map[string]string{"dev": "0.0.0", "v1.2.3": "1.2.3", "1.2.3-rc.1": "1.2.3"} {
		if got := threeNumbers(version); got != want {
			t.Errorf("%s: %s", version, got)
		}
	}
}

// An invalid setting does not end the process: Kong would restart it each second.
func TestWrongSetting(t *testing.T) {
	prefix, address := t.TempDir(), freeport.Address(t)
	if err := os.WriteFile(filepath.Join(prefix, ".kong_env"), []byte(strings.Join([]string{
		"prefix = " + prefix, "database = off", "router_flavor = expressions", "admin_listen = 127.0.0.1:1",
		"pluginserver_kube_sync_health_probe_bind_address = " + address,
		"pluginserver_kube_sync_metrics_bind_address = off", "pluginserver_kube_sync_ingres_class = x", "",
	}, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	// The log goes to the parent's standard error: the parent is this test.
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := syscall.Dup(2)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Dup3(int(write.Fd()), 2, 0); err != nil {
		t.Fatal(err)
	}
	restore := func() { _ = syscall.Dup3(saved, 2, 0); write.Close() }
	var out bytes.Buffer
	cmd := command("-kong-prefix", prefix)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		restore()
		t.Fatal(err)
	}
	body, code := "", 0
	for deadline := time.Now().Add(3 * time.Minute); code == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get("http://" + address + "/readyz"); err == nil {
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			body, code = string(text), resp.StatusCode
		}
	}
	conn, dialErr := net.Dial("unix", filepath.Join(prefix, filepath.Base(os.Args[0])+".socket"))
	_ = cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
	waitErr := cmd.Wait()
	kill.Stop()
	restore()
	log, _ := io.ReadAll(read)

	if code != http.StatusServiceUnavailable || !strings.Contains(body, "INGRES_CLASS is unknown") {
		t.Errorf("readyz: %d %s", code, body)
	}
	if dialErr != nil {
		t.Errorf("the plugin server does not listen: %v", dialErr)
	} else {
		conn.Close()
	}
	if waitErr != nil {
		t.Errorf("end: %v", waitErr)
	}
	if !strings.Contains(string(log), "A setting is invalid") || !strings.Contains(string(log), "INGRES_CLASS") || out.Len() != 0 {
		t.Errorf("log %s\nown output %s", log, out.String())
	}
}

// A prefix without settings does not end the process: Kong would restart it each second, and drop
// its output.
func TestUnreadableSettings(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "later")
	cmd := command("-kong-prefix", prefix, "-health-probe-bind-address", "off", "-metrics-bind-address", "off", "-relay-bind-address", "off")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended //nolint:errcheck // it was killed
	})
	select {
	case err := <-ended:
		ended <- err
		t.Fatalf("the process ends without a prefix: %v", err)
	case <-time.After(listenFirst + 500*time.Millisecond):
	}
	if err := os.Mkdir(prefix, 0o700); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(prefix, filepath.Base(os.Args[0])+".socket")
	eventually.Nil(t, 20*time.Second, func() error {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	// With Kong's settings there it ends by itself, for Kong to start it again.
	if err := os.WriteFile(filepath.Join(prefix, ".kong_env"), []byte("prefix = "+prefix+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		ended <- err
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(3 * time.Minute):
		t.Error("the process continues without Kong's settings when they can be read")
	}
}

func TestSplit(t *testing.T) {
	got := []string{}
	for _, err := range unjoin(os.ErrExist) {
		got = append(got, err.Error())
	}
	if diff := cmp.Diff([]string{"file already exists"}, got); diff != "" || unjoin(nil) != nil {
		t.Error(diff)
	}
}
