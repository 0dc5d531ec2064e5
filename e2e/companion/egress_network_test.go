package companion

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// inNetwork is set in the process of a test with its own network.
const inNetwork = "COMPANION_IN_NETWORK"

// ownNetwork runs a test again in a new network namespace. It reports whether the test is in
// one already.
func ownNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNetwork) != "" {
		addresses(t, "link", "set", "lo", "up")
		return true
	}
	kongtest.Need(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	output, err := cmd.CombinedOutput()
	if cmd.Process == nil {
		t.Skipf("this machine does not permit new networks: %v", err)
	}
	t.Logf("in a network of its own:\n%s", output)
	if err != nil {
		t.Error(err)
	}
	return false
}

// addresses changes the addresses of the network.
func addresses(t *testing.T, arguments ...string) {
	t.Helper()
	if output, err := exec.Command("ip", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v\n%s", arguments, err, output)
	}
}

// TestAddressesOfTheNetworkAreJudged has backends at the gateway's own addresses, at the API server's,
// and at a pod whose address kube-sync protects later.
func TestAddressesOfTheNetworkAreJudged(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	const own, own6, apiServer, pod = "10.77.0.7", "fd77::7", "10.77.0.8", "10.77.0.9"
	const port = 20777
	serving := func(address string) {
		t.Helper()
		addresses(t, "address", "add", address, "dev", "lo")
		listener, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(port)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				go serve(c)
			}
		}()
	}
	serving(own)
	addresses(t, "address", "add", own6, "dev", "lo", "nodad")
	t.Setenv("KUBERNETES_SERVICE_HOST", apiServer)
	status := freeport.Port(t)
	k := start(t, "KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=false", fmt.Sprintf("KONG_STATUS_LISTEN=0.0.0.0:%d", status))
	serving(apiServer)
	serving(pod)
	if answer, err := http.Get(fmt.Sprintf("http://%s:%d/status", own, status)); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the status port answers nobody: %v %v", answer, err)
	}

	c := config{}
	c.lead("own", own, port)
	c.lead("own6", "["+own6+"]", port)
	c.lead("status", own, status)
	c.lead("apiserver", apiServer, port)
	route := c.lead("pod", pod, port)
	c.put("plugins", entity{"id": id("plugin"), "name": "tcp-log", "route": route["id"], "config": entity{"host": own, "port": status}})
	k.load(c)
	want := func(when string, codes map[string]int) {
		t.Helper()
		for name, want := range codes {
			if code, answer := k.request(name, http.MethodGet, "/", ""); code != want {
				t.Errorf("%s: %s answers %d %s, want %d\n%s", when, name, code, answer, want, k.Complaints())
			}
		}
	}
	closed := map[string]int{"own": 503, "own6": 503, "status": 503, "apiserver": 503, "pod": 200}
	want("at first", closed)
	says := func(what string) {
		t.Helper()
		k.Eventually(what, func() bool { return strings.Contains(k.ReadLog(), what) })
	}
	says("the endpoint 10.77.0.7 of service status is an address of the gateway")
	says("the endpoint 10.77.0.8 of service apiserver is an address of the Kubernetes API server")
	says("connection refused by the gateway: 10.77.0.7 is an address of the gateway")

	learn := func(text string) {
		t.Helper()
		path := filepath.Join(k.Prefix, "kube-sync.addresses")
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	// Workers look every second, each for itself.
	learnt := func(what string) {
		t.Helper()
		k.Eventually(what, func() bool {
			for name, want := range closed {
				for range 10 { // whichever worker answers
					if code, _ := k.request(name, http.MethodGet, "/", ""); code != want {
						return false
					}
				}
			}
			return true
		})
	}
	learn(pod + " an address of the gateway\n")
	closed["pod"] = 503
	learnt("the pod is protected")
	learn("192.0.2.1 an address of the gateway\n")
	closed["pod"] = 200
	learnt("it is not any more")

	for at, code := range map[int]int{port + 1: 200, port: 503} {
		learn(fmt.Sprintf("%s:%d an address of the gateway\n", pod, at))
		closed["pod"] = code
		learnt(fmt.Sprintf("port %d is protected", at))
	}

	// A restarted gateway still has the protected addresses.
	learn(pod + " an address of the gateway\n")
	k.Stop()
	addresses(t, "address", "del", pod+"/32", "dev", "lo")
	k.Start()
	addresses(t, "address", "add", pod, "dev", "lo")
	closed["pod"] = 503
	want("after a restart", closed)
	says("the endpoint 10.77.0.9 of service pod is an address of the gateway")
}
