package lab

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Program is built for the tests and is known by the name of an image.
type Program struct {
	Image   string // as in a pod's spec, without a tag
	Package string // import path, in the module of the tests or one that it requires
	Dir     string // directory to build in, if the module is another one; relative to e2e
}

var echo = Program{Image: "kube-sync/echo", Package: "github.com/kube-sync/kube-sync/e2e/echo"}

const ownPackage = "github.com/kube-sync/kube-sync/e2e/lab"

// build makes all executables: the control plane in the cache, the others, which take seconds, in dir.
func build(dir string, programs []Program) (setup, error) {
	ctx, cancel := testTimeout()
	defer cancel()
	built := setup{Dir: dir, Programs: map[string]string{}}
	out, err := output("", "go", "list", "-f", "{{.Dir}}", ownPackage)
	if err != nil {
		return built, err
	}
	e2e := filepath.Dir(out)
	if built.ControlPlane, err = controlPlane(ctx, filepath.Join(e2e, "controlplane")); err != nil {
		return built, err
	}
	bin := filepath.Join(dir, "bin")
	for _, program := range programs {
		path := filepath.Join(bin, strings.ReplaceAll(program.Image, "/", "-"))
		in := filepath.Join(e2e, program.Dir)
		if err := goBuild(ctx, in, path, program.Package, "-s -w"); err != nil {
			return built, err
		}
		built.Programs[program.Image] = path
	}
	return built, nil
}

// goBuild makes a static executable: a pod's root file system has nothing else.
func goBuild(ctx context.Context, dir, path, pkg, ldflags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", ldflags, "-o", path, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // startInside has locked the thread
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			err = errors.New("not done within the test timeout; run it again, for Go's build cache keeps what is " +
				"compiled, or with a longer -timeout")
		}
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// testTimeout ends a little after the tests should, and before `go test` kills this process.
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

// controlPlane returns the executable of the module in dir from the cache, where it puts it first if it must.
func controlPlane(ctx context.Context, dir string) (string, error) {
	hash, err := hashModule(dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	cache = filepath.Join(cache, "kube-sync")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	path := filepath.Join(cache, "controlplane-"+hash)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unlock, err := lock(filepath.Join(cache, "controlplane.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil // another test binary has built it meanwhile
	}
	return path, buildControlPlane(ctx, dir, path)
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
	unfinished, err := os.MkdirTemp(filepath.Dir(path), "unfinished-")
	if err != nil {
		return fmt.Errorf("make a directory for the control plane: %w", err)
	}
	defer os.RemoveAll(unfinished)
	executable := filepath.Join(unfinished, "controlplane")
	if err := goBuild(ctx, dir, executable, ".", ldflags); err != nil {
		return err
	}
	if err := os.Rename(executable, path); err != nil {
		return fmt.Errorf("put the control plane into the cache: %w", err)
	}
	return nil
}

// lock waits for other test binaries that build.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}

// hashModule changes when the executable would.
func hashModule(dir string) (string, error) {
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		return "", err
	}
	files = append(files, "go.mod", "go.sum")
	slices.Sort(files)
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOARCH)
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return "", fmt.Errorf("read the source of the control plane: %w", err)
		}
		fmt.Fprintf(hash, "%s %x\n", file, sha256.Sum256(data))
	}
	return fmt.Sprintf("%x", hash.Sum(nil)[:8]), nil
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
