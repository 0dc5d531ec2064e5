package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// LevelTrace is below slog.LevelDebug.
const LevelTrace = slog.LevelDebug - 4

// Settings are the values of all settings. See [Table] for their meaning.
type Settings struct {
	IngressClass string
	// GatewayController is the controllerName of our GatewayClasses.
	GatewayController string
	// GatewayToReconcile is the only Gateway that is served; all Gateways if its name is empty.
	GatewayToReconcile types.NamespacedName
	// GatewayPorts are the ports of Kong for Gateways with a Service of their own.
	GatewayPorts []Ports
	// KongListens are the ports that Kong listens on, by its effective settings.
	KongListens []Listen
	// PortMaps are the ports that clients connect to, keyed by Kong's port, where these differ.
	PortMaps map[int32]int32
	// WatchNamespaces is empty for all namespaces.
	WatchNamespaces []string
	// Manifests is a file or directory that is watched instead of a cluster.
	Manifests string

	Kubeconfig     string
	APIServerHost  string
	APIServerQPS   int
	APIServerBurst int

	// PublishService is unset if its name is empty.
	PublishService         types.NamespacedName
	PublishStatusAddresses []string
	// PublishServiceUDP and its addresses are for UDPIngresses. Both may be empty.
	PublishServiceUDP         types.NamespacedName
	PublishStatusAddressesUDP []string
	UpdateStatus              bool
	EmitEvents                bool
	ElectionID                string
	ElectionNamespace         string
	PodName                   string
	PodNamespace              string

	ClusterDomain         string
	DrainSupport          bool
	AllowExternalName     bool
	AllowLoopbackBackends bool
	AllowLuaPlugins       bool
	DeniedAddresses       []netip.Prefix
	AllowedAddresses      []netip.Prefix
	// Unguarded means that Kong's workers do not check addresses, as the companion is not enabled.
	Unguarded bool
	// OwnAddresses are the addresses of the pod's network interfaces.
	OwnAddresses []netip.Addr
	// APIServerAddresses are those in the settings and in the environment.
	APIServerAddresses []netip.Addr
	// Isolated is TENANCY. IsolatedPlugins and AllowPluginFields are exceptions to it.
	Isolated          bool
	IsolatedPlugins   []string
	AllowPluginFields []tenancy.FieldValue
	AllowVaults       bool
	CustomEntityTypes []string
	// ConsumersEverywhere is CONSUMER_PLUGINS.
	ConsumersEverywhere bool
	// LastResortNamespaces are the namespaces that may choose the certificate for all hosts; "*"
	// stands for all.
	LastResortNamespaces []string

	AllowVulnerableKong bool
	// Kong's workers read MaxKongHops, StreamSessions, MaxBufferedBody and MaxBufferedBodies.
	// StreamSessions is 0 for the default, or limit.Unlimited. The latter two are in bytes;
	// MaxBufferedBody is 0 for no limit.
	MaxKongHops       int
	StreamSessions    int
	MaxBufferedBody   int64
	MaxBufferedBodies int64

	// Limits are the limits on what objects make.
	Limits limit.Limits
	// NamespaceGatewayPorts is 0 for half of the ports of a protocol, or limit.Unlimited.
	NamespaceGatewayPorts int

	// WeakTLS means that Kong's settings permit keys and signatures that OpenSSL rejects by
	// default.
	WeakTLS bool

	// Admin is the address of Kong's Admin API: "unix:/path", "http://host:port" or
	// "https://host:port". It is empty if there is no Kong to read it from.
	Admin string
	// AdminTimeout is the timeout of one request.
	AdminTimeout time.Duration

	// HealthProbeAddress, MetricsAddress and StatusPageAddress are "host:port", or "off".
	HealthProbeAddress string
	MetricsAddress     string
	StatusPageAddress  string
	// ProfilesAddress is a loopback address as "host:port", or "off".
	ProfilesAddress string
	// TracingEndpoint is a URL, or "off".
	TracingEndpoint string
	// RelayAddress is a loopback address as "host:port", or "off".
	RelayAddress string
	// RelayMemory is the number of bytes of bodies that the relay keeps.
	RelayMemory int64
	LogLevel    slog.Level
	LogFormat   string
}

// Addresses returns the policy for the addresses that the gateway connects to.
func (s Settings) Addresses() address.Policy {
	return address.Policy{
		Denied: s.DeniedAddresses, Allowed: s.AllowedAddresses,
		Own: s.OwnAddresses, APIServer: s.APIServerAddresses, AllowOwnHost: s.AllowLoopbackBackends,
	}
}

// Type is the type of a setting's value. The value itself is always a string.
type Type int

const (
	String  Type = iota
	Boolean      // true or false
	Integer      // a whole number that is not negative
	Number       // seconds, with a fraction
	Size         // bytes: 8k, 64m, 1g
	List         // values separated by commas
)

// Setting is one row of the table.
type Setting struct {
	// Name is in capitals: "INGRESS_CLASS".
	Name string
	// Default is the default value, or a description of it in brackets.
	Default string
	// Doc is a sentence or two.
	Doc string
	// Type is the type of the value. Values are all accepted values; nil if there is no fixed set.
	Type   Type
	Values []string

	// Workers means that Kong's workers read the setting: it has to be one of Kong's settings.
	Workers bool

	set func(s *Settings, value string) error
}

const (
	environmentPrefix = "CONTROLLER_"
	kongPrefix        = "pluginserver_kube_sync_"
)

// Check returns the error that Load returns for a value.
func (s Setting) Check(value string) error { return s.set(&Settings{}, value) }

// Environment returns the environment variable for the setting outside of Kong.
func (s Setting) Environment() string { return environmentPrefix + s.Name }

// KongEnvironment returns the environment variable for the setting in Kong's environment.
func (s Setting) KongEnvironment() string {
	return "KONG_" + strings.ToUpper(kongPrefix) + s.Name
}

// Flag returns the name of the flag, without dashes.
func (s Setting) Flag() string {
	return strings.ToLower(strings.ReplaceAll(s.Name, "_", "-"))
}

// Sources are the places that values come from.
type Sources struct {
	// Flags are keyed by the name of the setting, as [Flags] fills them.
	Flags map[string]string
	// Kong are Kong's effective settings, as [ReadKong] returns them.
	Kong map[string]string
	// Environ has the format of os.Environ.
	Environ []string
}

// Defaults returns the defaults of the table, without those that depend on other settings, on Kong
// or on the pod.
func Defaults() Settings {
	var s Settings
	for _, setting := range table {
		if value := setting.Default; value != "" && !strings.HasPrefix(value, "[") {
			if err := setting.set(&s, value); err != nil {
				panic(fmt.Sprintf("default of %s: %v", setting.Name, err))
			}
		}
	}
	return s
}

// Load returns the settings of all sources. The error joins all errors. Settings with an error keep
// their defaults; the others have their values.
func Load(sources Sources) (Settings, error) {
	s := Defaults()
	// Apply the last source first, so that the others override it.
	environ, flags := fromEnviron(sources.Environ), fromFlags(sources.Flags)
	errs := s.apply(environ)
	errs = append(errs, s.apply(fromKong(sources.Kong))...)
	errs = append(errs, s.apply(flags)...)
	if len(sources.Kong) > 0 {
		errs = append(errs, forWorkers(slices.Concat(environ, flags))...)
	}
	errs = append(errs, s.derive(sources)...)
	return s, errors.Join(errs...)
}

// sourced is a value and where it comes from.
type sourced struct {
	name, value string
	from        string
}

func (s *Settings) apply(values []sourced) []error {
	var errs []error
	slices.SortFunc(values, func(a, b sourced) int { return strings.Compare(a.from, b.from) })
	for _, v := range values {
		setting, ok := byName[v.name]
		if !ok {
			if err := checkUnknown(v); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		value := strings.TrimSpace(v.value)
		if strings.HasPrefix(value, "{vault://") {
			errs = append(errs, fmt.Errorf("setting %s: Kong does not resolve references to vaults for plugin servers", v.from))
			continue
		}
		if err := setting.set(s, value); err != nil {
			errs = append(errs, fmt.Errorf("setting %s: %q: %w", v.from, v.value, err))
		}
	}
	return errs
}

// forWorkers returns an error for each value that Kong's workers cannot see.
func forWorkers(values []sourced) []error {
	var errs []error
	for _, v := range values {
		if setting := byName[v.name]; setting.Workers {
			errs = append(errs, fmt.Errorf("setting %s: Kong's workers read it, so it has to be set as %s", v.from, setting.KongEnvironment()))
		}
	}
	return errs
}

func names() []string { return slices.Sorted(maps.Keys(byName)) }

func fromEnviron(environ []string) []sourced {
	var values []sourced
	for _, variable := range environ {
		key, value, _ := strings.Cut(variable, "=")
		name, ok := strings.CutPrefix(key, environmentPrefix)
		if ok && value != "" && !isServiceLink(name) {
			values = append(values, sourced{name, value, key})
		}
	}
	return values
}

// isServiceLink reports whether Kubernetes adds a variable to every container for a Service named
// "controller" or "controller-…".
func isServiceLink(name string) bool {
	if _, ok := byName[name]; ok {
		return false
	}
	if name == "PORT" || strings.HasPrefix(name, "SERVICE_") || strings.HasSuffix(name, "_SERVICE_HOST") {
		return true
	}
	for _, part := range []string{"_SERVICE_PORT", "PORT_"} {
		if i := strings.Index(name, part); i >= 0 {
			rest := name[i+len(part):]
			return part == "_SERVICE_PORT" || rest != "" && rest[0] >= '0' && rest[0] <= '9'
		}
	}
	return strings.HasSuffix(name, "_PORT")
}

func fromKong(kong map[string]string) []sourced {
	var values []sourced
	for key, value := range kong {
		name, ok := strings.CutPrefix(key, kongPrefix)
		// start_cmd, query_cmd and socket are Kong's own.
		if !ok || name == "start_cmd" || name == "query_cmd" || name == "socket" {
			continue
		}
		name = strings.ToUpper(name)
		values = append(values, sourced{name, value, Setting{Name: name}.KongEnvironment()})
	}
	return values
}

func fromFlags(flags map[string]string) []sourced {
	var values []sourced
	for name, value := range flags {
		values = append(values, sourced{name, value, "--" + Setting{Name: name}.Flag()})
	}
	return values
}
