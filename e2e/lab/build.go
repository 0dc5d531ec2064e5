package lab

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Program is built for the tests. Pods name it as an image.
type Program struct {
	Image   string // as in a pod's spec, without a tag
	Package string // import path, in the module of the tests or one that it requires
	Dir     string // directory of its module, if that is another one; relative to e2e
	Tests   bool   // the package's test binary is meant
	Cached  bool   // kept in the user's cache until its module changes: for what takes long and is not of this project
}

var echo = Program{Image: "kube-sync/echo", Package: "github.com/kube-sync/kube-sync/e2e/echo"}

// Backends that manifests in the repository name as images.
var (
	EchoBasic = Program{
		Image: "registry.k8s.io/gateway-api/echo-basic", Package: "sigs.k8s.io/gateway-api/conformance/echo-basic",
		Dir: "conformance/suite", Cached: true,
	}
	CoreDNS = Program{Image: "registry.k8s.io/coredns/coredns", Package: ".", Dir: "conformance/coredns", Cached: true}
)

// sayEvery is how often a build says that it goes on.
const sayEvery = 10 * time.Second

const ownPackage = "github.com/kube-sync/kube-sync/e2e/lab"

// build builds all executables: the control plane, if it is needed, in the cache, and the others, which take seconds, in
// dir.
func build(dir string, needControlPlane bool, programs []Program) (setup, error) {
	ctx, cancel := testTimeout()
	defer cancel()
	built := setup{Dir: dir, Programs: map[string]string{}}
	out, err := output("", "go", "list", "-f", "{{.Dir}}", ownPackage)
	if err != nil {
		return built, err
	}
	e2e := filepath.Dir(out)
	controlPlane := filepath.Join(e2e, "controlplane")
	if needControlPlane {
		built.ControlPlane, err = cached("controlplane", controlPlane, func(path string) error {
			return buildControlPlane(ctx, controlPlane, path)
		})
		if err != nil {
			return built, err
		}
	}
	bin := filepath.Join(dir, "bin")
	for _, program := range programs {
		name, in := strings.ReplaceAll(program.Image, "/", "-"), filepath.Join(e2e, program.Dir)
		path := filepath.Join(bin, name)
		if program.Cached {
			path, err = cached(name, in, func(path string) error { return program.build(ctx, in, path) })
		} else {
			err = program.build(ctx, in, path)
		}
		if err != nil {
			return built, err
		}
		built.Programs[program.Image] = path
	}
	built.Modules, err = downloaded()
	return built, err
}

func (p Program) build(ctx context.Context, dir, path string) error {
	command := []string{"build", "-v", "-buildvcs=false"}
	if p.Tests {
		command = []string{"test", "-v", "-c", "-vet=off"}
	}
	return goBuild(ctx, dir, path, p.Package, "-s -w", command...)
}

// goBuild builds a static executable, because a pod's root file system has no libraries.
func goBuild(ctx context.Context, dir, path, pkg, ldflags string, command ...string) error {
	cmd := exec.CommandContext(ctx, "go", append(command, "-ldflags", ldflags, "-o", path, pkg)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // startInside has locked the thread
	if out, err := compile(cmd, pkg); err != nil {
		if ctx.Err() != nil {
			err = errors.New("not done within the test timeout; run it again, for Go's build cache keeps what is " +
				"compiled, or with a longer -timeout")
		}
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// compile runs a command of Go with the flag -v, and says every few seconds how many packages it has compiled. It returns
// the command's output.
func compile(cmd *exec.Cmd, pkg string) ([]byte, error) {
	out := new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil { // on this thread, whose end ends the command
		return nil, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		start, ticker := time.Now(), time.NewTicker(sayEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				fmt.Fprintf(os.Stderr, "lab: compiling %s for %s: %d packages so far\n", pkg, time.Since(start).Round(time.Second), out.lines())
			}
		}
	}()
	err := cmd.Wait()
	return out.bytes(), err
}

// lockedBuffer is a buffer for two goroutines.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}

func (b *lockedBuffer) lines() int { return bytes.Count(b.bytes(), []byte("\n")) }

// testTimeout ends shortly after the tests' timeout, and before `go test` kills this process.
func testTimeout() (context.Context, context.CancelFunc) {
	if !flag.Parsed() {
		flag.Parse()
	}
	timeout, ok := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration)
	if !ok || timeout == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), timeout+30*time.Second)
}

func buildControlPlane(ctx context.Context, dir, path string) error {
	fmt.Fprintf(os.Stderr, "lab: compiling the Kubernetes control plane, once: %d minutes or so, less if Go's build "+
		"cache has it\n", 2+8/runtime.NumCPU())
	version, err := output(dir, "go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	if err != nil {
		return err
	}
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 3 {
		return fmt.Errorf("version %q of k8s.io/kubernetes is not a release", version)
	}
	const stamp = " -X k8s.io/component-base/version."
	ldflags := "-s -w" + stamp + "gitVersion=" + version + stamp + "gitMajor=" + parts[0] + stamp + "gitMinor=" + parts[1]
	return goBuild(ctx, dir, path, ".", ldflags, "build", "-v", "-buildvcs=false")
}

func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			out = exit.Stderr
		}
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
