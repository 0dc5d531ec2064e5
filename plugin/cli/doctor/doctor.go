package doctor

import (
	"context"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// Doctor examines gateways.
type Doctor struct {
	// Clients reach the API server; nil if there is no cluster. Unreachable is why.
	Clients     *cluster.Clients
	Unreachable error
	// Server is the URL of the API server, and HTTP a client with credentials for it.
	Server string
	HTTP   *http.Client
	// Inside is set in the container of a gateway.
	Inside *Inside
	// Now returns the time; [time.Now] if nil.
	Now func() time.Time
}

// Patient is a gateway.
type Patient struct {
	// Namespace and Name are those of its release, and Account is its service account.
	Namespace, Name, Account string
	Settings                 settings.Settings
	// Invalid is the error in its settings.
	Invalid error
	// Pods are its pods, the oldest first.
	Pods []corev1.Pod
}

func (d Doctor) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// Examine returns the findings about all gateways that it finds. Without any, it examines what a
// gateway with default settings would need.
func (d Doctor) Examine(ctx context.Context) []Report {
	general := d.apiServer(ctx)
	if d.Clients == nil {
		r := Report{Findings: general}
		if d.Inside != nil {
			r.Findings = append(r.Findings, d.Inside.examine(ctx)...)
		}
		return []Report{r}
	}
	patients, found := d.Patients(ctx)
	general = append(general, found...)
	var reports []Report
	for i, p := range patients {
		r := Report{Gateway: p.Namespace + "/" + p.Name}
		if i == 0 {
			r.Findings = append(r.Findings, general...)
		}
		r.Findings = append(r.Findings, d.examine(ctx, p)...)
		reports = append(reports, r)
	}
	return reports
}

// examine examines one gateway.
func (d Doctor) examine(ctx context.Context, p Patient) (all []Finding) {
	states, bundles, err := cluster.Kinds(ctx, d.Clients)
	all = append(all, settingsOf(p)...)
	all = append(all, defined(states, bundles, err)...)
	all = append(all, d.rights(ctx, p, states)...)
	all = append(all, d.classes(ctx, p, states)...)
	all = append(all, d.listeners(ctx, p, states)...)
	all = append(all, d.service(ctx, p)...)
	all = append(all, d.examinePods(p)...)
	all = append(all, d.lease(ctx, p)...)
	if d.Inside != nil {
		return append(all, d.Inside.examine(ctx)...)
	}
	return append(all, fromOutside(p)...)
}

// settingsOf says whether the settings of a gateway are valid.
func settingsOf(p Patient) []Finding {
	f := findings{area: "settings"}
	if p.Invalid != nil {
		f.add(Failure, "correct the setting; the log and docs/reference/settings.md say what is allowed", "%v", p.Invalid)
	} else {
		f.ok("class %s, controller %s", p.Settings.IngressClass, p.Settings.GatewayController)
	}
	return f.all
}

// fromOutside says what only a doctor inside the container can examine.
func fromOutside(p Patient) []Finding {
	f := findings{area: "kong"}
	name := "deployment/" + p.Name
	if len(p.Pods) > 0 {
		name = "pod/" + p.Pods[0].Name
	}
	f.unknown("kubectl --namespace "+p.Namespace+" exec "+name+" -- kube-sync doctor",
		"Kong's version and settings, the size of its configuration, DNS and limits cannot be examined from outside")
	return f.all
}
