package kubelet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// eagerInterval is the period of readiness probes until a container is ready, unless its own period is shorter.
const eagerInterval = 200 * time.Millisecond

// probe runs the container's probes until the context ends with the process.
func (c *container) probe(ctx context.Context, p *process) {
	if probe := c.spec.StartupProbe; probe != nil {
		if !c.probeStartup(ctx, *probe) {
			if ctx.Err() == nil {
				c.restart(p, "startup")
			}
			return
		}
	}
	c.set(p, func() {
		*c.status.Started = true
		c.status.Ready = c.spec.ReadinessProbe == nil
	})
	if probe := c.spec.LivenessProbe; probe != nil {
		go c.probeOn(ctx, *probe, true, func(alive bool) {
			if !alive {
				c.restart(p, "liveness")
			}
		})
	}
	if probe := c.spec.ReadinessProbe; probe != nil {
		c.probeOn(ctx, *probe, false, func(ready bool) {
			c.pod.log.Info("readiness changed", "container", c.spec.Name, "ready", ready)
			c.set(p, func() { c.status.Ready = ready })
		})
	}
}

// set changes the status of the process, unless the process has ended.
func (c *container) set(p *process, change func()) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	select {
	case <-p.done:
	default:
		change()
		c.pod.touch()
	}
}

// restart ends the process after a failed probe. The container's restart policy decides what follows.
func (c *container) restart(p *process, probe string) {
	c.pod.log.Info("container fails its probe", "container", c.spec.Name, "probe", probe)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	grace := 30 * time.Second
	if seconds := c.pod.bound.Spec.TerminationGracePeriodSeconds; seconds != nil {
		grace = time.Duration(*seconds) * time.Second
	}
	select {
	case <-p.done:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
	}
}

// probeStartup reports whether the probe succeeds before its failure threshold.
func (c *container) probeStartup(ctx context.Context, probe corev1.Probe) bool {
	delay, period, timeout := durations(probe)
	if !sleep(ctx, delay) {
		return false
	}
	deadline := time.Now().Add(period * time.Duration(max(probe.FailureThreshold, 1)))
	for time.Now().Before(deadline) {
		if c.ask(ctx, probe.ProbeHandler, timeout) == nil {
			return true
		}
		if !sleep(ctx, min(period, eagerInterval)) {
			return false
		}
	}
	return false
}

// probeOn calls back for each change of the result. A result counts after as many probes in a row as the probe's
// thresholds say.
func (c *container) probeOn(ctx context.Context, probe corev1.Probe, result bool, report func(bool)) {
	delay, period, timeout := durations(probe)
	eager := !result
	if result {
		delay += period // a process that has just started does not listen yet
	}
	if !sleep(ctx, delay) {
		return
	}
	for streak := int32(0); ; {
		err := c.ask(ctx, probe.ProbeHandler, timeout)
		if ctx.Err() != nil {
			return
		}
		threshold := max(probe.FailureThreshold, 1)
		if !result {
			threshold = max(probe.SuccessThreshold, 1)
		}
		if streak++; (err == nil) == result {
			streak = 0
		}
		if streak >= threshold {
			result, streak, eager = !result, 0, false
			c.pod.log.Debug("probe", "container", c.spec.Name, "error", err)
			report(result)
		}
		wait := period
		if eager {
			wait = min(period, eagerInterval)
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// ask probes once. It returns nil for a success.
func (c *container) ask(ctx context.Context, handler corev1.ProbeHandler, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch {
	case handler.HTTPGet != nil:
		return c.httpGet(ctx, *handler.HTTPGet)
	case handler.TCPSocket != nil:
		return c.tcpSocket(ctx, *handler.TCPSocket)
	case handler.Exec != nil:
		return c.exec(ctx, handler.Exec.Command)
	default:
		return errors.New("a probe of this kind is not supported")
	}
}

var probeClient = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // as the kubelet's
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *container) httpGet(ctx context.Context, action corev1.HTTPGetAction) error {
	address, err := c.address(action.Host, action.Port)
	if err != nil {
		return err
	}
	scheme := "http"
	if action.Scheme == corev1.URISchemeHTTPS {
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+action.Path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "kube-probe")
	for _, header := range action.HTTPHeaders {
		if http.CanonicalHeaderKey(header.Name) == "Host" {
			request.Host = header.Value
			continue
		}
		request.Header.Add(header.Name, header.Value)
	}
	response, err := probeClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode >= 400 {
		return fmt.Errorf("GET %s: %s", request.URL, response.Status)
	}
	return nil
}

func (c *container) tcpSocket(ctx context.Context, action corev1.TCPSocketAction) error {
	address, err := c.address(action.Host, action.Port)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// address returns the pod's address, unless the action names a host.
func (c *container) address(host string, port intstr.IntOrString) (string, error) {
	if host == "" {
		host = c.pod.ip()
	}
	number := port.IntVal
	if port.Type == intstr.String {
		for _, named := range c.spec.Ports {
			if named.Name == port.StrVal {
				number = named.ContainerPort
			}
		}
		if number == 0 {
			return "", fmt.Errorf("container %s has no port with the name %q", c.spec.Name, port.StrVal)
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(int(number))), nil
}

// exec runs a command in the container. It sees the container's processes.
func (c *container) exec(ctx context.Context, command []string) error {
	if len(command) == 0 {
		return errors.New("the command is empty")
	}
	p := c.running()
	if p == nil {
		return errors.New("the container is not running")
	}
	cmd, env, err := c.command(ctx)
	if err != nil {
		return err
	}
	cmd.Path, cmd.Args = c.look(command[0], env["PATH"]), command
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr.Cloneflags = 0
	err = c.pod.network.do(func() error { return inProcessesOf(p.cmd.Process.Pid, cmd.Start) })
	if err != nil {
		return fmt.Errorf("start %s: %w", command[0], err)
	}
	stopped := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stopped()
	return cmd.Wait()
}

// inProcessesOf calls the function on a locked thread, on which new processes are in the process namespace of another
// process.
func inProcessesOf(pid int, f func() error) error {
	own, err := os.Open("/proc/self/ns/pid")
	if err != nil {
		return err
	}
	defer own.Close()
	other, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		return err
	}
	defer other.Close()
	if err := unix.Setns(int(other.Fd()), unix.CLONE_NEWPID); err != nil {
		return fmt.Errorf("enter the container's process namespace: %w", err)
	}
	return errors.Join(f(), unix.Setns(int(own.Fd()), unix.CLONE_NEWPID))
}

func (c *container) preStop(ctx context.Context, hook corev1.LifecycleHandler) error {
	switch {
	case hook.Sleep != nil:
		sleep(ctx, time.Duration(hook.Sleep.Seconds)*time.Second)
		return nil
	case hook.Exec != nil:
		return c.exec(ctx, hook.Exec.Command)
	case hook.HTTPGet != nil:
		return c.httpGet(ctx, *hook.HTTPGet)
	default:
		return errors.New("a hook of this kind is not supported")
	}
}

func durations(probe corev1.Probe) (delay, period, timeout time.Duration) {
	seconds := func(n, otherwise int32) time.Duration {
		if n <= 0 {
			n = otherwise
		}
		return time.Duration(n) * time.Second
	}
	return seconds(probe.InitialDelaySeconds, 0), seconds(probe.PeriodSeconds, 10), seconds(probe.TimeoutSeconds, 1)
}
