package bench

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Machine describes the machine and the software of a measurement.
type Machine struct {
	Cores                        int
	Processor, Kernel            string
	Memory                       int64 // bytes
	Kong, Go, Kubernetes, Commit string
}

// machine also has the version of the control plane.
func (w *world) machine(t testing.TB) Machine {
	m := machine(t)
	version, err := w.cp.Client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	m.Kubernetes = strings.TrimPrefix(version.GitVersion, "v")
	return m
}

func machine(t testing.TB) Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: strings.TrimPrefix(runtime.Version(), "go")}
	m.Processor = value("/proc/cpuinfo", "model name")
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.Memory = int64(info.Totalram) * int64(info.Unit)
	}
	m.Kong = output(t, "kong", "version")
	m.Commit = output(t, "git", "rev-parse", "--short", "HEAD")
	return m
}

// value returns the text after a name and a colon in a file.
func value(path, name string) string {
	raw, _ := os.ReadFile(path)
	for line := range strings.Lines(string(raw)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func output(t testing.TB, name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Logf("%s: %v", name, err)
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// Moment is a time, with the machine's load average.
type Moment struct {
	At   time.Time
	Load string // averages over 1, 5 and 15 minutes
}

func now() Moment {
	raw, _ := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(raw))
	const averages = 3
	return Moment{At: time.Now().UTC().Truncate(time.Second), Load: strings.Join(fields[:min(averages, len(fields))], " ")}
}
