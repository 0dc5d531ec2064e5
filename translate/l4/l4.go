package l4

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The roles of the units.
const (
	TCPRole unit.Role[unit.None] = "tcpingress"
	UDPRole unit.Role[unit.None] = "udpingress"
)

// Options are the operator's settings.
type Options struct {
	IngressClass string
	// Reserved reports whether a port of Kong is for Gateways only.
	Reserved func(port int) bool
	// LastResort lists the namespaces that may choose the certificate for all hosts.
	LastResort certificate.LastResort
	// Isolated assigns each host to one namespace, also for certificates.
	Isolated bool
}

// Define adds the units of a class to a graph.
func Define(g *unit.Graph, o Options) {
	ours := func(r *unit.Reader, object unit.Object) bool { return class.Ours(r, object, o.IngressClass) }
	plugin.DefineRoute(g, unit.TCPIngress, ours)
	plugin.DefineRoute(g, unit.UDPIngress, ours)
	unit.Each(g, TCPRole, unit.TCPIngress, unit.Valueless(o.tcp))
	unit.Each(g, UDPRole, unit.UDPIngress, unit.Valueless(o.udp))
}

// translation is the translation of one object.
type translation struct {
	options   Options
	reader    *unit.Reader
	object    unit.Object
	key       unit.Key
	tags      []string
	protocols []string
	suffix    string // of the names of the routes
	attached  plugin.Attachment
	allowance *kong.Allowance
	fragment  unit.Fragment
}

// begin starts the translation of an object. It returns nil, with verdicts, for an object that is
// not ours.
func (o Options) begin(r *unit.Reader, object unit.Object, key unit.Key) (*translation, []unit.Verdict) {
	if !class.Ours(r, object, o.IngressClass) {
		return nil, class.Missing(object, key, o.IngressClass)
	}
	values := annotation.Of(object, key)
	t := &translation{options: o, reader: r, object: object, key: key, allowance: kong.NewAllowance(r.Limits()), suffix: name.Suffix(r, key)}
	t.tags = kong.Tags(object, configurationv1beta1.SchemeGroupVersion.WithKind(string(key.Kind)), values.UserTags()...)
	read := []string{annotation.Tags, annotation.Plugins}
	if t.protocols = []string{"udp"}; key.Kind == unit.TCPIngress {
		t.protocols, read = tcpProtocols(values), append(read, annotation.Protocols)
	}
	t.fragment.Verdicts = append(values.Verdicts, annotation.Ignored(object, key, read...)...)
	t.attached = plugin.Attached(r, object, key).OfStreams(key)
	t.fragment.Verdicts = append(t.fragment.Verdicts, t.attached.Verdicts...)
	return t, nil
}

func (t *translation) warn(f unit.Fault, reason, format string, args ...any) {
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, reason, fmt.Sprintf(format, args...)).With(f))
}

// ruleField is the path of a rule.
func ruleField(i int) field.Path { return field.NewPath("spec", "rules").Index(i) }

func (o Options) tcp(r *unit.Reader, key unit.Key, object *configurationv1beta1.TCPIngress) unit.Fragment {
	t, verdicts := o.begin(r, object, key)
	if t == nil {
		return unit.Fragment{Verdicts: verdicts}
	}
	for i, rule := range object.Spec.Rules {
		s := route.Stream{
			Name:      fmt.Sprintf("%s.%s.%d", key.Namespace, key.Name, i) + t.suffix,
			Protocols: t.protocols,
			Port:      rule.Port,
			SNI:       route.Host(strings.ToLower(rule.Host)),
		}
		if s.SNI != "" && len(validation.IsDNS1123Subdomain(string(s.SNI))) > 0 {
			t.warn(unit.At(ruleField(i).Child("host")), "HostInvalid", "rule %d: %q is not a host name without wildcards", i, rule.Host)
			continue
		}
		t.rule(i, s, rule.Backend, backend.Connections)
	}
	t.certificates(object)
	return t.end()
}

// tcpProtocols returns the protocols of a TCPIngress: by default TCP, and TLS that Kong
// terminates. TLS passthrough excludes the others.
func tcpProtocols(values *annotation.Values) []string {
	const passthrough = "tls_passthrough"
	protocols := values.List(annotation.Protocols, []string{"tcp", "tls"}, []string{"tcp", "tls", passthrough})
	if slices.Contains(protocols, passthrough) && len(protocols) > 1 {
		values.Invalid(annotation.Protocols, strings.Join(protocols, ","), "allowed: "+passthrough+" excludes the others, and only it takes effect")
		return []string{passthrough}
	}
	return protocols
}

func (o Options) udp(r *unit.Reader, key unit.Key, object *configurationv1beta1.UDPIngress) unit.Fragment {
	t, verdicts := o.begin(r, object, key)
	if t == nil {
		return unit.Fragment{Verdicts: verdicts}
	}
	for i, rule := range object.Spec.Rules {
		s := route.Stream{
			Name:      fmt.Sprintf("%s.%s.%d.udp", key.Namespace, key.Name, i) + t.suffix,
			Protocols: t.protocols,
			Port:      rule.Port,
		}
		t.rule(i, s, rule.Backend, backend.Datagrams)
	}
	return t.end()
}

// end returns the fragment, with verdicts on what exceeds the limits.
func (t *translation) end() unit.Fragment {
	for _, problem := range t.allowance.Problems() {
		// It comes first, because verdicts beyond a limit are dropped.
		t.fragment.Verdicts = slices.Insert(t.fragment.Verdicts, 0, unit.Warning(t.key, "ObjectTooLarge", problem.Message).At(problem.Path))
	}
	return t.fragment
}

// rule claims a port, or with TLS a server name at a port, for a backend.
func (t *translation) rule(i int, s route.Stream, b configurationv1beta1.IngressBackend, purpose backend.Purpose) {
	if s.Port < 1 || s.Port > 65535 {
		t.warn(unit.At(ruleField(i).Child("port")), "PortInvalid", "rule %d: %d is not a port", i, s.Port)
		return
	}
	if t.options.Reserved(s.Port) {
		t.warn(unit.At(ruleField(i).Child("port")), "PortInvalid", "rule %d: port %d is reserved for Gateways by the setting GATEWAY_PORTS", i, s.Port)
		return
	}
	if b.ServiceName == "" {
		t.warn(unit.At(ruleField(i).Child("backend", "serviceName")), "BackendMissing", "rule %d names no backend", i)
		return
	}
	used := backend.Use(t.reader, backend.Ref{
		Namespace: t.key.Namespace, Service: b.ServiceName, Port: strconv.Itoa(b.ServicePort), Purpose: purpose,
	})
	if used.Reason != "" {
		at := ruleField(i).Child("backend", "serviceName")
		if used.WrongPort {
			at = ruleField(i).Child("backend", "servicePort")
		}
		t.warn(unit.Lacking(at, used.Missing), used.Reason, "rule %d: %s", i, used.Message)
	}
	s.Backend, s.Tags = used.Service, t.tags
	where := kong.Part{Name: fmt.Sprintf("rule %d", i), Path: ruleField(i)}
	if t.allowance.Spent(where) {
		return
	}
	s.Plugins, s.Refuse = t.allowance.Guard(t.attached.Plugins, t.attached.Refuse, where)
	place, entities, err := kong.Stream(s, t.reader.Limits())
	if err != nil {
		t.warn(unit.At(where.Path), "MatchInvalid", "%s: %v", where, err)
		return
	}
	t.claim(where, unit.Claim{
		Slot:     unit.Streams.Slot(place),
		Entities: entities,
		Lost:     unit.Warning(t.key, "PortConflict", fmt.Sprintf("rule %d: port %d is taken by another rule for the same host", i, s.Port)).At(where.Path.Child("port")),
	})
}

// claim adds a claim of the object if its entities are within the allowance.
func (t *translation) claim(where kong.Part, c unit.Claim) {
	if !t.allowance.Take(c.Entities, where) {
		return
	}
	c.Object, c.Since = t.key, t.object.GetCreationTimestamp().Time
	t.fragment.Claims = append(t.fragment.Claims, c)
}
