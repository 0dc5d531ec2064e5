package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// files collects the values of a flag that may be given several times.
type files []string

func (f *files) String() string { return fmt.Sprint([]string(*f)) }

func (f *files) Set(value string) error { *f = append(*f, value); return nil }

// render prints the configuration that manifests make, and the verdicts on them if
// asked. Nothing goes to the output unless all of it can.
func render(t terminal, args []string) error {
	var (
		options translate.Options
		paths   files
		format  string
		status  bool
		secrets bool
	)
	f := t.flags("render", "-f FILE [-f FILE ...] [-o yaml|json] [-status] [-show-secrets]")
	f.Var(&paths, "f", "manifests: a `FILE`, a directory, or - for standard input; may be repeated")
	f.StringVar(&format, "o", "yaml", "output `FORMAT`: yaml or json")
	f.BoolVar(&status, "status", false, "print also what is said about the objects: a second document")
	f.BoolVar(&secrets, "show-secrets", false, "print private keys, credentials and what plugins have of Secrets; without it "+hidden+" stands in their place")
	optionFlags(f, &options)
	if err := t.parse(f, args); err != nil {
		return err
	}
	if len(paths) == 0 || format != "yaml" && format != "json" {
		f.Usage()
		return errUsage
	}
	graph, err := t.translate(options, paths)
	if err != nil {
		return err
	}
	out, err := renderConfig(graph, format, secrets)
	if err != nil {
		return err
	}
	if status {
		verdicts, err := renderStatus(graph, format)
		if err != nil {
			return err
		}
		if format == "yaml" {
			out = append(out, "---\n"...)
		}
		out = append(out, verdicts...)
	}
	_, err = t.out.Write(out)
	return err
}

// optionFlags adds the settings of the gateway that the translation depends on.
func optionFlags(f *flag.FlagSet, o *translate.Options) {
	f.StringVar(&o.IngressClass, "ingress-class", "kong", "the `NAME` of the class whose Ingresses are translated")
	f.StringVar(&o.Gateway.Controller, "gateway-api-controller-name", gatewayapi.DefaultController, "the `NAME` of the controller whose GatewayClasses are served")
	f.BoolVar(&o.Backend.AllowExternalName, "allow-external-name", false, "take Services of type ExternalName and EndpointSlices of type FQDN")
	f.Func("denied-addresses", "`ADDRESSES` and ranges that backends may not have, in comma-separated format", addresses(&o.Backend.Addresses.Denied))
	f.Func("allowed-addresses", "`ADDRESSES` and ranges that backends may have although they are denied, in comma-separated format", addresses(&o.Backend.Addresses.Allowed))
	f.BoolVar(&o.Backend.Addresses.AllowOwnHost, "allow-loopback-backends", false, "take endpoints on the gateway's own host")
	f.BoolVar(&o.Backend.Drain, "enable-drain-support", false, "keep terminating endpoints, without new requests")
	tenancyFlags(f, &o.Tenancy)
	limitFlags(f, &o.Limits)
	f.Func("last-resort-certificate-namespaces", "the `NAMESPACES` whose objects may choose the certificate for all hosts, with commas; * for all", func(value string) error {
		o.LastResort = strings.Split(value, ",")
		return nil
	})
	f.BoolVar(&o.Certificate.AllowWeak, "allow-weak-certificates", false, "take the keys and signatures that Kong takes with ssl_cipher_suite = old")
	f.StringVar(&o.Backend.ClusterDomain, "cluster-domain", "", "the cluster's DNS `DOMAIN`")
	f.Func("limit-namespace-gateway-ports", "ports for each protocol that the Gateways of one namespace have at most, 0 for no limit; half of them by default", func(value string) (err error) {
		o.Gateway.NamespacePorts, err = settings.ParseLimit(value)
		return err
	})
	// Only a gateway knows which ports the Service in front of it has.
	o.Gateway.AnyPort = true
	o.Gateway.Pool, o.Gateway.Relay = pool(), relay()
}

// addresses reads a flag as the setting of the same name is read.
func addresses(into *[]netip.Prefix) func(string) error {
	return func(value string) (err error) {
		*into, err = settings.ParseAddresses(value)
		return err
	}
}

// relay is where a gateway has it that is not told otherwise.
func relay() (r gatewayapi.Relay) {
	if defaults, err := settings.Load(settings.Sources{}); err == nil {
		r.Address, _ = netip.ParseAddrPort(defaults.RelayAddress)
	}
	return r
}

// pool are the ports for Gateways that kong.conf has.
func pool() gatewayapi.Pool {
	all, port := gatewayapi.Pool{}, int32(20000)
	for _, protocol := range []gatewayv1.ProtocolType{
		gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType, gatewayv1.TCPProtocolType, gatewayv1.TLSProtocolType, gatewayv1.UDPProtocolType,
	} {
		for range 20 {
			all[protocol] = append(all[protocol], port)
			port++
		}
	}
	return all
}

// translate reads manifests and translates them.
func (t terminal) translate(o translate.Options, paths []string) (*unit.Graph, error) {
	manifests, err := manifest.ReadFiles(paths, kinds.All())
	if err != nil {
		return nil, err
	}
	for _, i := range manifests.Ignored {
		fmt.Fprintf(t.err, "%s: %s is of a kind that is not read\n", i.Position, unit.OneLine(i.Kind+" "+i.Name))
	}
	return graphOf(o, manifests), nil
}

func graphOf(o translate.Options, manifests manifest.Manifests) *unit.Graph {
	changes := make([]unit.Change, 0, len(manifests.Objects))
	for _, m := range manifests.Objects {
		changes = append(changes, unit.Change{Key: m.Key, Object: m.Object})
	}
	graph := translate.New(o)
	graph.Update(changes...)
	return graph
}

func renderConfig(graph *unit.Graph, format string, secrets bool) ([]byte, error) {
	var entities []*kong.Entity
	for view := range graph.Units() {
		entities = append(entities, view.Entities...)
	}
	if !secrets {
		if err := redact(entities); err != nil {
			return nil, err
		}
	}
	return as(format, kong.Declarative(kong.Sorted(entities)))
}

// verdict is the form in which a verdict is printed.
type verdict struct {
	Object    string `json:"object"`
	Condition string `json:"condition,omitempty"`
	OK        bool   `json:"ok"`
	Reason    string `json:"reason"`
	Message   string `json:"message"`
}

func renderStatus(graph *unit.Graph, format string) ([]byte, error) {
	verdicts := []verdict{}
	for key, all := range graph.AllVerdicts() {
		for _, v := range all {
			verdicts = append(verdicts, verdict{key.String(), v.Condition, v.OK, v.Reason, v.Message})
		}
	}
	raw, err := json.Marshal(verdicts)
	if err != nil {
		return nil, err
	}
	return as(format, raw)
}

// as gives JSON in the format that was asked for.
func as(format string, raw []byte) ([]byte, error) {
	if format == "yaml" {
		return yaml.JSONToYAML(raw)
	}
	return append(raw, '\n'), nil
}
