package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// text returns a setting whose value parse checks and normalizes.
func text(name, deflt, doc string, field func(*Settings) *string, parse func(string) (string, error)) Setting {
	return Setting{Name: name, Default: deflt, Doc: doc, set: func(s *Settings, value string) (err error) {
		value, err = parse(value)
		if err == nil {
			*field(s) = value
		}
		return err
	}}
}

// choice returns a setting with a fixed set of values.
func choice(name, deflt, doc string, field func(*Settings) *string, values ...string) Setting {
	s := text(name, deflt, doc, field, oneOf(values...))
	s.Values = values
	return s
}

// list returns a setting whose values are separated by commas.
func list(name, deflt, doc string, field func(*Settings) *[]string, parse func(string) (string, error)) Setting {
	return Setting{Name: name, Default: deflt, Doc: doc, Type: List, set: func(s *Settings, value string) error {
		var values []string
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			parsed, err := parse(part)
			if err != nil {
				return err
			}
			values = append(values, parsed)
		}
		*field(s) = values
		return nil
	}}
}

// prefixes returns a setting of IP addresses and ranges. Kong's workers read it, too.
func prefixes(name, doc string, field func(*Settings) *[]netip.Prefix) Setting {
	return Setting{Name: name, Doc: doc, Type: List, Workers: true, set: func(s *Settings, value string) (err error) {
		*field(s), err = parseAddresses(value)
		return err
	}}
}

// parseAddresses reads IP addresses and ranges separated by commas.
func parseAddresses(value string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if a, wrong := netip.ParseAddr(part); wrong == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p != p.Masked() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q: want IP addresses and ranges, such as 10.1.2.3,10.9.0.0/16,fd00:9::/32", part)
		}
		all = append(all, p)
	}
	return all, nil
}

func boolean(name, deflt, doc string, field func(*Settings) *bool) Setting {
	return Setting{Name: name, Default: deflt, Doc: doc, Type: Boolean, set: func(s *Settings, value string) error {
		switch strings.ToLower(value) {
		case "true", "on", "yes", "1":
			*field(s) = true
		case "false", "off", "no", "0":
			*field(s) = false
		default:
			return errors.New("want true or false")
		}
		return nil
	}}
}

func number(name, deflt, doc string, field func(*Settings) *int) Setting {
	return Setting{Name: name, Default: deflt, Doc: doc, Type: Integer, set: func(s *Settings, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return errors.New("want a whole number of at least 1")
		}
		*field(s) = n
		return nil
	}}
}

// workers marks a setting that Kong's workers read.
func workers(s Setting) Setting {
	s.Workers = true
	return s
}

// size returns a setting of bytes in nginx's format: digits, and k, m or g for KiB, MiB or GiB.
func size(name, deflt, doc string, field func(*Settings) *int64) Setting {
	return Setting{Name: name, Default: deflt, Doc: doc, Type: Size, set: func(s *Settings, value string) error {
		digits, shift := strings.ToLower(value), 0
		for i, unit := range []string{"k", "m", "g"} {
			if rest, ok := strings.CutSuffix(digits, unit); ok {
				digits, shift = rest, 10*(i+1)
			}
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return errors.New("want a number of bytes, such as 8k, 64m or 1g")
		}
		*field(s) = int64(n << shift)
		return nil
	}}
}

func seconds(name, deflt, doc string, field func(*Settings) *time.Duration) Setting {
	return Setting{Name: name, Default: deflt, Doc: doc, Type: Number, set: func(s *Settings, value string) error {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !(n > 0 && n <= 3600) {
			return errors.New("want seconds, such as 30, and 3600 at most")
		}
		*field(s) = time.Duration(n * float64(time.Second))
		return nil
	}}
}

func anything(value string) (string, error) { return value, nil }

func oneOf(values ...string) func(string) (string, error) {
	return func(value string) (string, error) {
		if !slices.Contains(values, value) {
			return "", fmt.Errorf("want %s", strings.Join(values, " or "))
		}
		return value, nil
	}
}

func dnsLabel(value string) (string, error) {
	if len(validation.IsDNS1123Label(value)) > 0 {
		return "", errors.New("want the name of a namespace: small letters, digits and -")
	}
	return value, nil
}

func namespaceOrAll(value string) (string, error) {
	if value == "*" {
		return value, nil
	}
	return dnsLabel(value)
}

func dnsName(value string) (string, error) {
	if len(validation.IsDNS1123Subdomain(value)) > 0 {
		return "", errors.New("want a name of small letters, digits, - and dots")
	}
	return value, nil
}

// statusAddress checks an address for the status of an Ingress.
func statusAddress(value string) (string, error) {
	if net.ParseIP(value) == nil && len(validation.IsDNS1123Subdomain(value)) > 0 {
		return "", fmt.Errorf("%q is neither an IP address nor a host name", value)
	}
	return value, nil
}

func bindAddress(value string) (string, error) {
	if value == "off" || value == "0" {
		return "off", nil
	}
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", errors.New("want host:port, :port or off")
	}
	return value, nil
}

// loopbackAddress checks an address that cannot be reached from outside the pod.
func loopbackAddress(value string) (string, error) {
	if value == "off" || value == "0" {
		return "off", nil
	}
	address, err := netip.ParseAddrPort(value)
	if err != nil || !address.Addr().IsLoopback() || address.Port() == 0 {
		return "", errors.New("want host:port with a loopback address, such as 127.0.0.1:10264, or off")
	}
	return value, nil
}

func webURL(value string) (string, error) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("want a URL, such as https://10.0.0.1:6443")
	}
	return value, nil
}

// urlOrOff accepts a URL, or off. "" is off.
func urlOrOff(value string) (string, error) {
	if value == "off" || value == "" {
		return "off", nil
	}
	return webURL(value)
}

// adminAddress accepts a path, with or without "unix:" in front, or a URL.
func adminAddress(value string) (string, error) {
	path := strings.TrimPrefix(value, "unix:")
	if strings.HasPrefix(path, "/") {
		return "unix:" + path, nil
	}
	if _, err := webURL(value); err != nil {
		return "", errors.New("want the path of a Unix socket, or a URL such as http://127.0.0.1:8001")
	}
	return value, nil
}

func setPublishService(s *Settings, value string) (err error) {
	s.PublishService, err = namespacedName(value, "a Service")
	return err
}

func setPublishServiceUDP(s *Settings, value string) (err error) {
	s.PublishServiceUDP, err = namespacedName(value, "a Service")
	return err
}

func setGatewayToReconcile(s *Settings, value string) (err error) {
	s.GatewayToReconcile, err = namespacedName(value, "a Gateway")
	return err
}

func namespacedName(value, what string) (types.NamespacedName, error) {
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return types.NamespacedName{}, errors.New("want namespace/name of " + what)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}

// controllerName checks a domain and a path, as in a GatewayClass.
func controllerName(value string) (string, error) {
	domain, path, ok := strings.Cut(value, "/")
	if !ok || path == "" || len(validation.IsDNS1123Subdomain(domain)) > 0 {
		return "", errors.New("want a domain and a path, such as konghq.com/kic-gateway-controller")
	}
	return value, nil
}

func setLogLevel(s *Settings, value string) error {
	levels := map[string]slog.Level{
		"trace": LevelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo,
		"warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[strings.ToLower(value)]
	if !ok {
		return errors.New("want trace, debug, info, warn or error")
	}
	s.LogLevel = level
	return nil
}
