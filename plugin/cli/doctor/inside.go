package doctor

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/settings"
)

// Inside is what a doctor in the container of a gateway examines besides.
type Inside struct {
	// Prefix is the prefix of the gateway's Kong.
	Prefix string
	// Kong are Kong's effective settings, and Unread is why they cannot be read.
	Kong   map[string]string
	Unread error
	// Settings are those of kube-sync, and Invalid is the error in them.
	Settings settings.Settings
	Invalid  error
	// Conf is the image's kong.conf.
	Conf string
	// Cgroup and Proc are the roots of the file systems that tell limits.
	Cgroup, Proc string
	// Lookup resolves a host name.
	Lookup func(ctx context.Context, host string) ([]string, error)
}

// NewInside returns what is known in the container of the Kong with a prefix.
func NewInside(prefix string, environ []string) *Inside {
	in := &Inside{Prefix: prefix, Conf: "/etc/kong/kong.conf", Cgroup: "/sys/fs/cgroup", Proc: "/proc", Lookup: net.DefaultResolver.LookupHost}
	in.Kong, in.Unread = settings.ReadKong(prefix)
	in.Settings, in.Invalid = settings.Load(settings.Sources{Kong: in.Kong, Environ: environ})
	return in
}

// patient returns this gateway. Its pods are known if its account may read them.
func (in *Inside) patient(found []Patient) Patient {
	this := Patient{Namespace: in.Settings.PodNamespace, Name: in.Settings.PodName, Settings: in.Settings, Invalid: in.Invalid}
	for _, p := range found {
		for _, pod := range p.Pods {
			if pod.Name == in.Settings.PodName {
				this.Name, this.Account, this.Pods = p.Name, p.Account, p.Pods
			}
		}
	}
	return this
}

// askWithin is the timeout of a request to Kong.
const askWithin = 10 * time.Second

func (in *Inside) examine(ctx context.Context) []Finding {
	f := findings{area: "kong"}
	if in.Unread != nil {
		f.add(Failure, "look at Kong's log", "%v", in.Unread)
		return f.all
	}
	in.differences(&f)
	in.version(ctx, &f)
	all := f.all
	all = append(all, in.dns(ctx)...)
	return append(all, in.limits()...)
}

// version asks Kong for its version, its vulnerabilities and its configuration.
func (in *Inside) version(ctx context.Context, f *findings) {
	admin, err := adminapi.NewClient(in.Settings.Admin, askWithin)
	if err != nil {
		f.add(Failure, "correct KONG_ADMIN_SOCKET", "%v", err)
		return
	}
	software, err := admin.Software(ctx)
	if err != nil {
		f.add(Failure, "look at Kong's log", "Kong's Admin API at %s does not answer: %v", admin.Address(), err)
		return
	}
	warnings := software.Warnings()
	if len(warnings) == 0 {
		f.ok("Kong %s has no known vulnerability", software.Version)
	}
	for _, warning := range warnings {
		state := Warning
		if software.Refused() && !in.Settings.AllowVulnerableKong {
			state = Failure
		}
		f.add(state, "build the image from a newer Kong", "%s", warning)
	}
	state, err := admin.State(ctx)
	switch {
	case err != nil:
		f.add(Failure, "look at Kong's log", "Kong does not say which configuration it has: %v", err)
	case state.Empty():
		f.add(Failure, "look at the log of kube-sync, and at /readyz", "Kong has no configuration yet")
	case !state.Companion:
		f.add(Warning, "enable the plugin kube-sync-delta", "each change loads the whole configuration: %s", state.NoCompanion)
	case !state.Effective:
		f.add(Warning, "ask again in some seconds", "some workers do not use the newest configuration yet")
	default:
		f.ok("all workers use the configuration %s", state.Hash)
	}
}

// differences compares Kong's effective settings with the image's kong.conf.
func (in *Inside) differences(f *findings) {
	conf, err := readConf(in.Conf)
	if err != nil {
		f.unknown("", "Kong's settings cannot be compared with the image's kong.conf: %v", err)
		return
	}
	var differ []string
	for _, setting := range conf {
		if now := in.Kong[setting.name]; normalized(now) != normalized(setting.value) {
			differ = append(differ, fmt.Sprintf("%s is %q, not %q", setting.name, short(now), short(setting.value)))
		}
	}
	if len(differ) == 0 {
		f.ok("all %d settings of Kong are those of kong.conf", len(conf))
		return
	}
	f.add(Warning, "look whether each is intended: kong.conf says why it has its value", "Kong's settings differ from the image's kong.conf: %s", strings.Join(differ, "; "))
}

// short returns the start of a long value, such as a list of ports.
func short(value string) string {
	const most = 60
	if value = normalized(value); len(value) > most {
		return value[:most] + "…"
	}
	return value
}

// dns resolves the name of the API server's Service.
func (in *Inside) dns(ctx context.Context) []Finding {
	f := findings{area: "dns"}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	const name = "kubernetes.default.svc"
	if found, err := in.Lookup(ctx, name); err != nil {
		f.add(Warning, "look at the cluster's DNS and at the pod's dnsPolicy; Services by name, vaults and plugins need it", "%s cannot be resolved: %v", name, err)
	} else {
		f.ok("%s is %s", name, strings.Join(found, ", "))
	}
	return f.all
}
