package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/cli/doctor"
	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// logLines is the number of lines of each log.
const logLines = 5000

// Collector makes bundles.
type Collector struct {
	// Version is the version of this binary.
	Version string
	Doctor  doctor.Doctor
	// Objects are those of the cluster; nil if they cannot be read, and Unread is why.
	Objects *input.Objects
	Unread  error
	// Options are those of the translation.
	Options func(doctor.Patient) translate.Options
	Now     time.Time

	files    []file
	left     []string // what could not be collected
	redactor redactor
}

// Write writes a bundle. What cannot be collected is named in its file left-out.txt, and returned.
func (c *Collector) Write(ctx context.Context, out io.Writer) (left []string, err error) {
	c.redactor = redactor{newScrubber()}
	c.add("version.txt", []byte("kube-sync "+c.Version+"\n"))
	c.report(ctx)
	if c.Doctor.Clients != nil {
		patients, _ := c.Doctor.Patients(ctx)
		for _, p := range patients {
			c.pods(ctx, c.Doctor.Clients.Core, p)
			c.events(ctx, c.Doctor.Clients.Core, p)
		}
		if len(patients) > 0 && c.Objects != nil {
			c.configuration(ctx, patients[0])
		}
	}
	if c.Objects != nil {
		c.objects()
	} else if c.Unread != nil {
		c.leave("the objects", c.Unread)
	}
	c.add("left-out.txt", []byte(strings.Join(c.left, "\n")+"\n"))
	dir := "kube-sync-" + c.Now.UTC().Format("20060102-150405")
	return c.left, write(out, dir, c.files, c.redactor.scrubber, c.Now)
}

func (c *Collector) add(name string, text []byte) { c.files = append(c.files, file{name, text}) }

func (c *Collector) leave(what string, err error) {
	c.left = append(c.left, fmt.Sprintf("%s: %v", what, err))
}

// addJSON adds data as YAML.
func (c *Collector) addYAML(name string, data any) {
	text, err := yaml.Marshal(data)
	if err != nil {
		c.leave(name, err)
		return
	}
	c.add(name, text)
}

// report adds doctor's report.
func (c *Collector) report(ctx context.Context) {
	reports := c.Doctor.Examine(ctx)
	var text bytes.Buffer
	err := output.New(&text).Print(reports, func(p *output.Page) {
		for _, r := range reports {
			r.Page(p)
		}
	})
	if err != nil {
		c.leave("doctor's report", err)
	}
	c.add("doctor.txt", text.Bytes())
}

// objects adds the objects of the cluster, one file for each kind.
func (c *Collector) objects() {
	byKind := map[unit.Kind][]any{}
	var order []unit.Kind
	for _, change := range c.Objects.Changes() {
		object, err := tree(change.Object)
		if err != nil {
			c.leave(change.Key.String(), err)
			continue
		}
		c.redactor.object(change.Key.Kind, object)
		if byKind[change.Key.Kind] == nil {
			order = append(order, change.Key.Kind)
		}
		byKind[change.Key.Kind] = append(byKind[change.Key.Kind], object)
	}
	for _, kind := range order {
		c.addYAML("objects/"+string(kind)+".yaml", byKind[kind])
	}
}

// tree returns an object as decoded JSON.
func tree(object any) (map[string]any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	return fields, json.Unmarshal(text, &fields)
}

// configuration adds what the objects become, and the diagnostics.
func (c *Collector) configuration(ctx context.Context, p doctor.Patient) {
	graph, err := c.Objects.Graph(ctx, c.Options(p))
	if err != nil {
		c.leave("some Secrets and ConfigMaps", err)
	}
	config, err := c.redactor.entities(graph)
	if err != nil {
		c.leave("the configuration", err)
		return
	}
	c.add("configuration.json", config)
	var said strings.Builder
	for key, verdicts := range graph.AllVerdicts() {
		for _, v := range verdicts {
			fmt.Fprintf(&said, "%s: %s: %s\n", key, v.Reason, v.Message)
		}
	}
	for key, status := range graph.Statuses() {
		for _, v := range status.Diagnostics() {
			fmt.Fprintf(&said, "%s: %s %s=%t: %s\n", key, v.Reason, v.Condition, v.OK, v.Message)
		}
	}
	c.add("diagnostics.txt", []byte(said.String()))
}

// pods adds the pods of a gateway and their logs.
func (c *Collector) pods(ctx context.Context, core kubernetes.Interface, p doctor.Patient) {
	for _, pod := range p.Pods {
		c.addYAML("pods/"+pod.Namespace+"-"+pod.Name+".yaml", c.redactor.pod(pod))
		for _, s := range pod.Status.ContainerStatuses {
			c.log(ctx, core, pod, s.Name, false)
			if s.RestartCount > 0 {
				c.log(ctx, core, pod, s.Name, true)
			}
		}
	}
}

func (c *Collector) log(ctx context.Context, core kubernetes.Interface, pod corev1.Pod, container string, previous bool) {
	name := fmt.Sprintf("logs/%s-%s-%s.log", pod.Namespace, pod.Name, container)
	if previous {
		name = strings.TrimSuffix(name, ".log") + ".previous.log"
	}
	lines := int64(logLines)
	text, err := core.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &lines, Timestamps: true}).DoRaw(ctx)
	if err != nil {
		c.leave(name, err)
		return
	}
	c.add(name, text)
}

// events adds the Events that the gateway wrote, and those of its own namespace.
func (c *Collector) events(ctx context.Context, core kubernetes.Interface, p doctor.Patient) {
	list, err := core.CoreV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		c.leave("the Events", err)
		return
	}
	var said strings.Builder
	for _, e := range list.Items {
		if e.Source.Component != "kube-sync" && e.ReportingController != "kube-sync" && e.Namespace != p.Namespace {
			continue
		}
		fmt.Fprintf(&said, "%s %s %s %s/%s: %s: %s (%d times)\n", e.LastTimestamp.UTC().Format(time.RFC3339), e.Type, e.InvolvedObject.Kind,
			e.InvolvedObject.Namespace, e.InvolvedObject.Name, e.Reason, unit.OneLine(e.Message), e.Count)
	}
	c.add("events/"+p.Namespace+"-"+p.Name+".txt", []byte(said.String()))
}
