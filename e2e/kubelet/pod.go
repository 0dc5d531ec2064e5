package kubelet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A pod is a pod of this node, from its binding to the removal of its object.
type pod struct {
	kubelet *Kubelet
	log     *slog.Logger
	bound   *corev1.Pod  // the object when it was bound; its spec never changes
	init    []*container // run before the others, one after the other
	main    []*container

	terminating chan struct{} // closed when the API server has marked the pod as deleted
	gone        chan struct{} // closed when the object is removed
	changed     chan struct{} // receives when the status is to be written

	mu          sync.Mutex  // guards what follows, and the containers' changing parts
	object      *corev1.Pod // as it is now
	network     *podNetwork // nil until set up
	started     metav1.Time
	waiting     waiting // why containers have not started yet
	initialized bool
	written     *corev1.PodStatus
}

// waiting is a container's state before its process.
type waiting struct{ reason, message string }

func newPod(k *Kubelet, object *corev1.Pod) *pod {
	p := &pod{
		kubelet: k, log: podLogger(k.log, object), bound: object, object: object, started: metav1.Now(),
		terminating: make(chan struct{}), gone: make(chan struct{}), changed: make(chan struct{}, 1),
		waiting: waiting{reason: "ContainerCreating"},
	}
	for _, spec := range object.Spec.InitContainers {
		p.init = append(p.init, newContainer(p, spec, true))
	}
	for _, spec := range object.Spec.Containers {
		p.main = append(p.main, newContainer(p, spec, false))
	}
	if object.DeletionTimestamp != nil {
		close(p.terminating)
	}
	return p
}

// The informer calls update and vanish in the order of events.
func (p *pod) update(object *corev1.Pod) {
	p.mu.Lock()
	marked := p.object.DeletionTimestamp == nil && object.DeletionTimestamp != nil
	p.object = object
	p.mu.Unlock()
	if marked {
		close(p.terminating)
	}
	p.touch() // a readiness gate may have opened
}

func (p *pod) vanish() { close(p.gone) }

func (p *pod) touch() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// run runs the pod until its end. The context ends with the kubelet.
func (p *pod) run(ctx context.Context) {
	p.log.Info("pod bound")
	reporting, stopReporting := context.WithCancel(ctx)
	var reporter sync.WaitGroup
	reporter.Go(func() { p.report(reporting) })
	active, deactivate := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.runContainers(active)
	}()
	forced := false
	select {
	case <-p.terminating:
	case <-p.gone:
		forced = true
	case <-ctx.Done():
		forced = true
	}
	deactivate() // nothing starts after this
	if !forced {
		p.stopContainers(ctx)
	}
	p.killContainers()
	<-ended
	stopReporting()
	reporter.Wait()
	if ctx.Err() == nil {
		p.removeObject(ctx)
	}
	p.tearDown()
	p.log.Info("pod removed")
}

// runContainers returns when all containers have ended and none is restarted.
func (p *pod) runContainers(active context.Context) {
	if !p.setUp(active) {
		return
	}
	for _, c := range p.init {
		if !c.run(active) {
			return
		}
	}
	p.mu.Lock()
	p.initialized = true
	p.mu.Unlock()
	p.touch()
	var running sync.WaitGroup
	for _, c := range p.main {
		running.Go(func() { c.run(active) })
	}
	running.Wait()
}

// setUp creates the network and the volumes, and waits for the objects that the volumes project. It returns false if the
// pod is deleted meanwhile.
func (p *pod) setUp(active context.Context) bool {
	for {
		err := p.trySetUp(active)
		if err == nil {
			return true
		}
		if active.Err() != nil {
			return false
		}
		p.log.Info("pod cannot start yet", "error", err)
		p.mu.Lock()
		p.waiting.message = err.Error()
		p.mu.Unlock()
		p.touch()
		if !sleep(active, retryInterval) {
			return false
		}
	}
}

func (p *pod) trySetUp(active context.Context) error {
	if p.network == nil {
		made := p.kubelet.network.host()
		if !p.bound.Spec.HostNetwork {
			var err error
			if made, err = p.kubelet.network.add(); err != nil {
				return err
			}
		}
		p.mu.Lock()
		p.network = made
		p.mu.Unlock()
		p.touch()
	}
	if err := p.makeVolumes(active); err != nil {
		return err
	}
	for _, c := range p.containers() {
		if c.init && c.spec.RestartPolicy != nil {
			return fmt.Errorf("init container %s: restartPolicy is not supported", c.spec.Name)
		}
	}
	return nil
}

// stopContainers stops the containers within the pod's grace period.
func (p *pod) stopContainers(ctx context.Context) {
	p.mu.Lock()
	grace := 30 * time.Second
	if seconds := p.object.DeletionGracePeriodSeconds; seconds != nil {
		grace = time.Duration(*seconds) * time.Second
	}
	p.mu.Unlock()
	p.log.Info("pod terminating", "grace", grace)
	present, cancelPresent := p.untilGone(ctx) // the pod may be deleted by force meanwhile
	defer cancelPresent()
	limit, cancel := context.WithTimeout(present, grace)
	defer cancel()
	var stopping sync.WaitGroup
	for _, c := range p.containers() {
		stopping.Go(func() { c.stop(limit) })
	}
	stopping.Wait()
}

func (p *pod) untilGone(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		select {
		case <-p.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func (p *pod) killContainers() {
	for _, c := range p.containers() {
		c.kill()
	}
}

// removeObject writes the final status and then removes the object, unless it is removed already.
func (p *pod) removeObject(ctx context.Context) {
	ctx, cancel := p.untilGone(ctx)
	defer cancel()
	if err := p.kubelet.insist(ctx, "write the final status", p.log, p.writeStatus); err != nil {
		return
	}
	now := int64(0)
	_ = p.kubelet.insist(ctx, "remove the pod", p.log, func(ctx context.Context) error {
		return p.kubelet.client.CoreV1().Pods(p.bound.Namespace).Delete(ctx, p.bound.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.bound.UID},
		})
	})
}

// tearDown removes everything but the logs.
func (p *pod) tearDown() {
	var errs []error
	for _, c := range p.containers() {
		errs = append(errs, c.unmount())
	}
	if p.network != nil {
		errs = append(errs, p.network.remove())
	}
	if err := errors.Join(errs...); err != nil {
		// The files of what is still mounted must not be removed.
		p.log.Error("pod not cleaned up", "error", err)
		return
	}
	if err := os.RemoveAll(p.dir()); err != nil {
		p.log.Error("pod's files not removed", "error", err)
	}
}

func (p *pod) containers() []*container {
	return append(append([]*container{}, p.init...), p.main...)
}

func (p *pod) dir() string { return filepath.Join(p.kubelet.podsDir(), string(p.bound.UID)) }

func (p *pod) logDir() string {
	return filepath.Join(p.kubelet.logsDir(), p.bound.Namespace+"_"+p.bound.Name+"_"+string(p.bound.UID))
}

// ip returns the pod's address, or "" before it has one.
func (p *pod) ip() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.network == nil {
		return ""
	}
	return p.network.address.String()
}
