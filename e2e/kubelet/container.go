package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Restarts are delayed by backOffFirst, then by twice as long each time. After a run of backOffReset the delay starts again.
const (
	backOffFirst = 250 * time.Millisecond
	backOffMost  = 10 * time.Second
	backOffReset = 30 * time.Second
)

// A container runs as one process after the other.
type container struct {
	pod  *pod
	spec corev1.Container
	init bool

	mounts []string // targets, in the order they were made; used by the container's own goroutine, and at the end

	// Guarded by pod.mu.
	process *process // the newest one
	status  corev1.ContainerStatus
}

// A process is one run of a container.
type process struct {
	cmd     *exec.Cmd
	number  int
	started metav1.Time
	log     *logWriter
	done    chan struct{} // closed when it has ended
}

func newContainer(p *pod, spec corev1.Container, init bool) *container {
	return &container{pod: p, spec: spec, init: init, status: corev1.ContainerStatus{
		Name: spec.Name, Image: spec.Image, Started: new(bool),
	}}
}

// run runs and restarts the container until it is not restarted any more, or until the context and then the process have
// ended. It reports whether the last process succeeded.
func (c *container) run(active context.Context) bool {
	backOff := backOffFirst
	for {
		started := time.Now()
		succeeded, err := c.runOnce(active)
		if err != nil && active.Err() == nil {
			c.pod.log.Info("container cannot start yet", "container", c.spec.Name, "error", err)
			c.wait("CreateContainerConfigError", err.Error())
			if !sleep(active, retryInterval) {
				return false
			}
			continue
		}
		if active.Err() != nil || !c.restarts(succeeded) {
			return succeeded
		}
		if time.Since(started) > backOffReset {
			backOff = backOffFirst
		}
		c.wait("CrashLoopBackOff", fmt.Sprintf("restarted after %s", backOff))
		if !sleep(active, backOff) {
			return false
		}
		backOff = min(2*backOff, backOffMost)
	}
}

func (c *container) restarts(succeeded bool) bool {
	switch c.pod.bound.Spec.RestartPolicy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return !succeeded
	default:
		return !succeeded || !c.init
	}
}

// runOnce returns an error if there was no process.
func (c *container) runOnce(active context.Context) (succeeded bool, err error) {
	if err := c.makeRoot(); err != nil {
		return false, err
	}
	cmd, _, err := c.command(active)
	if err != nil {
		return false, err
	}
	started, err := c.start(active, cmd)
	if err != nil {
		return false, err
	}
	probing, stopProbing := context.WithCancel(context.Background())
	go c.probe(probing, started)
	_ = cmd.Wait() // how it ended is in ProcessState
	stopProbing()
	_ = started.log.Close()
	c.ended(started)
	return cmd.ProcessState.Success(), nil
}

// command returns the command that the container runs in its root file system, as the first process of a process namespace.
func (c *container) command(ctx context.Context) (*exec.Cmd, environment, error) {
	image, err := c.pod.kubelet.image(c.spec.Image)
	if err != nil {
		return nil, nil, err
	}
	env, err := c.environment(ctx, image)
	if err != nil {
		return nil, nil, err
	}
	argv := expandAll(c.spec.Command, env)
	if len(argv) == 0 {
		argv = []string{image.Path}
	}
	argv = append(argv, expandAll(c.spec.Args, env)...)
	cmd := &exec.Cmd{
		Path: c.look(argv[0], env["PATH"]), Args: argv, Env: env.list(), Dir: "/",
		WaitDelay: time.Second,
		SysProcAttr: &syscall.SysProcAttr{
			Chroot: c.root(), Cloneflags: unix.CLONE_NEWPID, Setsid: true, // Ctrl-C is for the tests
		},
	}
	if c.spec.WorkingDir != "" {
		cmd.Dir = c.spec.WorkingDir
	}
	return cmd, env, nil
}

// look finds a program in the container.
func (c *container) look(name, path string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(c.root(), dir, name)); err == nil && !info.IsDir() {
			return filepath.Join(dir, name)
		}
	}
	return "/" + name
}

// start starts the process unless the pod is being deleted.
func (c *container) start(active context.Context, cmd *exec.Cmd) (*process, error) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	if active.Err() != nil {
		return nil, active.Err()
	}
	p := &process{cmd: cmd, started: metav1.Now(), done: make(chan struct{})}
	if c.process != nil {
		p.number = c.process.number + 1
	}
	var err error
	if p.log, err = newLogWriter(c.logFile(p.number)); err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := c.pod.network.do(cmd.Start); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cmd.Path, err), p.log.Close())
	}
	c.process = p
	c.status.RestartCount = int32(p.number)
	c.status.ContainerID = fmt.Sprintf("process://%s/%s/%d", c.pod.bound.UID, c.spec.Name, p.number)
	c.status.ImageID = c.spec.Image
	c.status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: p.started}}
	*c.status.Started = c.spec.StartupProbe == nil
	c.status.Ready = *c.status.Started && c.spec.ReadinessProbe == nil
	c.pod.touch()
	c.pod.log.Info("container started", "container", c.spec.Name, "pid", cmd.Process.Pid, "restarts", p.number)
	return p, nil
}

func (c *container) ended(p *process) {
	state := p.cmd.ProcessState
	terminated := &corev1.ContainerStateTerminated{
		Reason: "Completed", StartedAt: p.started, FinishedAt: metav1.Now(), ExitCode: int32(state.ExitCode()),
	}
	if wait, ok := state.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		terminated.Signal = int32(wait.Signal())
		terminated.ExitCode = 128 + terminated.Signal
	}
	if !state.Success() {
		terminated.Reason = "Error"
	}
	c.pod.mu.Lock()
	terminated.ContainerID = c.status.ContainerID
	c.status.State = corev1.ContainerState{Terminated: terminated}
	c.status.Ready = c.init && state.Success()
	*c.status.Started = false
	close(p.done)
	c.pod.mu.Unlock()
	c.pod.touch()
	c.pod.log.Info("container ended", "container", c.spec.Name, "exitCode", terminated.ExitCode)
}

// wait sets the state between two processes. The state of the ended one becomes the last termination.
func (c *container) wait(reason, message string) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	if c.status.State.Terminated != nil {
		c.status.LastTerminationState = c.status.State
	}
	c.status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	c.pod.touch()
}

// running returns the current process, or nil.
func (c *container) running() *process {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	if c.process == nil {
		return nil
	}
	select {
	case <-c.process.done:
		return nil
	default:
		return c.process
	}
}

// stop runs the preStop hook, sends SIGTERM, and waits until the process or the context ends.
func (c *container) stop(limit context.Context) {
	p := c.running()
	if p == nil {
		return
	}
	if c.spec.Lifecycle != nil && c.spec.Lifecycle.PreStop != nil {
		if err := c.preStop(limit, *c.spec.Lifecycle.PreStop); err != nil {
			c.pod.log.Warn("preStop failed", "container", c.spec.Name, "error", err)
		}
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-limit.Done():
	}
}

func (c *container) kill() {
	if p := c.running(); p != nil {
		_ = p.cmd.Process.Kill() // and all in its process namespace
	}
}

func (c *container) logFile(number int) string {
	return filepath.Join(c.pod.logDir(), fmt.Sprintf("%s-%d.log", c.spec.Name, number))
}

// image finds an image by its full name or by its name without tag and digest.
func (k *Kubelet) image(name string) (Image, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if image, ok := k.images[name]; ok {
		return image, nil
	}
	short, _, _ := strings.Cut(name, "@")
	if colon := strings.LastIndex(short, ":"); colon > strings.LastIndex(short, "/") {
		short = short[:colon]
	}
	if image, ok := k.images[short]; ok {
		return image, nil
	}
	return Image{}, fmt.Errorf("there is no executable for image %q", name)
}
