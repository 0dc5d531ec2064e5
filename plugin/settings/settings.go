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

// Settings are all settings. See [Table] for what each of them means.
type Settings struct {
	IngressClass string
	// GatewayController is the controllerName of our GatewayClasses.
	GatewayController string
	// GatewayToReconcile is the only Gateway that is served; all if its name is empty.
	GatewayToReconcile types.NamespacedName
	// GatewayPorts are ports of Kong for Gateways with a Service of their own.
	GatewayPorts []Ports
	// KongListens are the ports that Kong listens at, by its settings in effect.
	KongListens []Listen
	// PortMaps are the ports of Kong that clients connect to by others, which its port_maps
	// say: the others, by Kong's.
	PortMaps map[int32]int32
	// WatchNamespaces are all namespaces when empty.
	WatchNamespaces []string
	// Manifests is a file or directory that is watched in place of a cluster.
	Manifests string

	Kubeconfig     string
	APIServerHost  string
	APIServerQPS   int
	APIServerBurst int

	// PublishService is empty without a name.
	PublishService         types.NamespacedName
	PublishStatusAddresses []string
	// PublishServiceUDP and its addresses are for UDPIngresses; both may be empty.
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
	// Unguarded means that Kong's workers do not judge addresses, as the companion is not
	// enabled.
	Unguarded bool
	// OwnAddresses are those of the pod's network interfaces.
	OwnAddresses []netip.Addr
	// APIServerAddresses are those that the settings and the environment name.
	APIServerAddresses []netip.Addr
	// Isolated is TENANCY; IsolatedPlugins and AllowPluginFields are what it leaves to KongPlugins.
	Isolated          bool
	IsolatedPlugins   []string
	AllowPluginFields []tenancy.FieldValue
	AllowVaults       bool
	CustomEntityTypes []string
	// ConsumersEverywhere is CONSUMER_PLUGINS.
	ConsumersEverywhere bool
	// LastResortNamespaces may choose the certificate for all hosts; "*" stands for all.
	LastResortNamespaces []string

	AllowVulnerableKong bool
	// MaxKongHops, StreamSessions, MaxBufferedBody and MaxBufferedBodies are read by Kong's
	// workers. StreamSessions is 0 for the default, and limit.Unlimited. The latter two are
	// bytes; MaxBufferedBody is 0 for no limit.
	MaxKongHops       int
	StreamSessions    int
	MaxBufferedBody   int64
	MaxBufferedBodies int64

	// Limits are the bounds on what objects make.
	Limits limit.Limits
	// NamespaceGatewayPorts is 0 for half of the ports for a protocol, and limit.Unlimited.
	NamespaceGatewayPorts int

	// WeakTLS tells that Kong, by its own settings, takes keys and signatures that OpenSSL
	// by default does not.
	WeakTLS bool

	// Admin is the address of Kong's Admin API: "unix:/path", "http://host:port" or
	// "https://host:port". It is empty when there is no Kong to read it from.
	Admin string
	// AdminTimeout is for one request.
	AdminTimeout time.Duration

	// HealthProbeAddress and MetricsAddress are "host:port", or "off".
	HealthProbeAddress string
	MetricsAddress     string
	// RelayAddress is "host:port" of loopback, or "off".
	RelayAddress string
	// RelayMemory is bytes of bodies that the relay keeps.
	RelayMemory int64
	LogLevel    slog.Level
	LogFormat   string
}

// Addresses is the policy for what the gateway connects to.
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
	List         // values with commas between them
)

// Setting is one row of the table.
type Setting struct {
	// Name is in capitals: "INGRESS_CLASS".
	Name string
	// Default is the value without any, or words that describe it in brackets.
	Default string
	// Doc is a sentence or two.
	Doc string
	// Type is the type of the value. Values are all that are accepted, or nil if there are others.
	Type   Type
	Values []string

	// Workers says that Kong's workers read it: it has to be one of Kong's settings.
	Workers bool

	set func(s *Settings, value string) error
}

const (
	environmentPrefix = "CONTROLLER_"
	kongPrefix        = "pluginserver_kube_sync_"
)

// Check returns the error that Load returns for a value.
func (s Setting) Check(value string) error { return s.set(&Settings{}, value) }

// Environment is the variable that sets it outside of Kong.
func (s Setting) Environment() string { return environmentPrefix + s.Name }

// KongEnvironment is the variable that sets it through Kong.
func (s Setting) KongEnvironment() string {
	return "KONG_" + strings.ToUpper(kongPrefix) + s.Name
}

// Flag is its name on the command line, without dashes in front.
func (s Setting) Flag() string {
	return strings.ToLower(strings.ReplaceAll(s.Name, "_", "-"))
}

// Sources are where values come from.
type Sources struct {
	// Flags are by name of the setting, as [Flags] fills them.
	Flags map[string]string
	// Kong are Kong's settings in effect, as [ReadKong] gives them.
	Kong map[string]string
	// Environ has the form of os.Environ.
	Environ []string
}

// Defaults returns the defaults of the table. Those that depend on other settings, on Kong or on
// the pod are left out.
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

// Load makes the settings of all sources. The error joins all there is to say; the
// settings that it is not about are in place, the others have their defaults.
func Load(sources Sources) (Settings, error) {
	s := Defaults()
	// The last source is read first, so that those before it overrule it.
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

// given is a value and where it comes from.
type given struct {
	name, value string
	from        string
}

func (s *Settings) apply(values []given) []error {
	var errs []error
	slices.SortFunc(values, func(a, b given) int { return strings.Compare(a.from, b.from) })
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

// forWorkers refuses values that Kong's workers would not see.
func forWorkers(values []given) []error {
	var errs []error
	for _, v := range values {
		if setting := byName[v.name]; setting.Workers {
			errs = append(errs, fmt.Errorf("setting %s: Kong's workers read it, so it has to be set as %s", v.from, setting.KongEnvironment()))
		}
	}
	return errs
}

func names() []string { return slices.Sorted(maps.Keys(byName)) }

func fromEnviron(environ []string) []given {
	var values []given
	for _, variable := range environ {
		key, value, _ := strings.Cut(variable, "=")
		name, ok := strings.CutPrefix(key, environmentPrefix)
		if ok && value != "" && !serviceLink(name) {
			values = append(values, given{name, value, key})
		}
	}
	return values
}

// serviceLink recognizes the variables that Kubernetes puts into every container
// for a Service that is named "controller" or "controller-…".
func serviceLink(name string) bool {
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

func fromKong(kong map[string]string) []given {
	var values []given
	for key, value := range kong {
		name, ok := strings.CutPrefix(key, kongPrefix)
		// These are Kong's own.
		if !ok || name == "start_cmd" || name == "query_cmd" || name == "socket" {
			continue
		}
		name = strings.ToUpper(name)
		values = append(values, given{name, value, Setting{Name: name}.KongEnvironment()})
	}
	return values
}

func fromFlags(flags map[string]string) []given {
	var values []given
	for name, value := range flags {
		values = append(values, given{name, value, "--" + Setting{Name: name}.Flag()})
	}
	return values
}
