package settings

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Address is a listener of a setting.
type Address struct {
	Setting string // such as KONG_PROXY_LISTEN
	Network string // tcp or unix
	Address string
	TLS     bool
}

// Proxy returns the listeners for clients.
func (s Settings) Proxy() ([]Address, error) {
	addresses, err := s.tcp("proxy_listen", false)
	if err != nil {
		return nil, err
	}
	for _, words := range s.injected("nginx_proxy_listen") {
		all, err := ranged(words[0])
		if err != nil {
			return nil, fmt.Errorf("setting KONG_NGINX_PROXY_LISTEN: %w", err)
		}
		for _, a := range all {
			a.Setting, a.TLS = "KONG_NGINX_PROXY_LISTEN", slices.Contains(words[1:], "ssl")
			addresses = append(addresses, a)
		}
	}
	return addresses, nil
}

// injected returns the listeners of a setting that Kong copies into nginx's configuration. Other
// directives may follow the first listener.
func (s Settings) injected(key string) (listeners [][]string) {
	for i, directive := range fields(s[key], ";") {
		listener, isListen := strings.CutPrefix(directive, "listen ")
		if i == 0 || isListen {
			listeners = append(listeners, strings.Fields(listener))
		}
	}
	return listeners
}

// ranged returns the addresses of a listener, which may have a range of ports.
func ranged(text string) ([]Address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return []Address{{Network: "unix", Address: path}}, nil
	}
	host, ports, err := net.SplitHostPort(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address and a port", text)
	}
	first, last, several := strings.Cut(ports, "-")
	if !several {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, wrong := strconv.ParseUint(last, 10, 16)
	if err != nil || wrong != nil {
		return nil, fmt.Errorf("%q is not an address and a port, or a range of them", text)
	}
	var all []Address
	for port := from; port <= to; port++ {
		all = append(all, Address{Network: "tcp", Address: net.JoinHostPort(host, strconv.FormatUint(port, 10))})
	}
	return all, nil
}

// Status returns the listeners of the Status API.
func (s Settings) Status() ([]Address, error) { return s.tcp("status_listen", false) }

// Admin returns the listeners of the Admin API. TCP listeners have to be on loopback, because
// the stand-in has no access control.
func (s Settings) Admin() ([]Address, error) {
	addresses, err := s.tcp("admin_listen", true)
	if err != nil {
		return nil, err
	}
	for _, words := range s.injected("nginx_admin_listen") {
		path, ok := strings.CutPrefix(words[0], "unix:")
		if !ok {
			return nil, fmt.Errorf("setting KONG_NGINX_ADMIN_LISTEN: %q is not unix:PATH", words[0])
		}
		addresses = append(addresses, Address{Setting: "KONG_NGINX_ADMIN_LISTEN", Network: "unix", Address: path})
	}
	return addresses, nil
}

// AdminOnSocketOnly reports whether the Admin API answers everything over TCP with 403.
func (s Settings) AdminOnSocketOnly() bool {
	return slices.Contains(fields(s["nginx_admin_allow"], ";"), "deny all")
}

func (s Settings) tcp(key string, loopbackOnly bool) ([]Address, error) {
	setting := "KONG_" + strings.ToUpper(key)
	var addresses []Address
	for _, item := range fields(s[key], ",") {
		words := strings.Fields(item)
		if words[0] == "off" {
			continue
		}
		if _, _, err := net.SplitHostPort(words[0]); err != nil {
			return nil, fmt.Errorf("setting %s: %q is not an address and a port", setting, words[0])
		}
		if loopbackOnly {
			if a, err := netip.ParseAddrPort(words[0]); err != nil || !a.Addr().IsLoopback() {
				return nil, fmt.Errorf("setting %s: the stand-in gateway has its Admin API on loopback only, not on %s", setting, words[0])
			}
		}
		tls := slices.Contains(words[1:], "ssl")
		addresses = append(addresses, Address{Setting: setting, Network: "tcp", Address: words[0], TLS: tls})
	}
	return addresses, nil
}

// Listen opens the listener. An error names the address and the setting.
func (a Address) Listen() (net.Listener, error) {
	if a.Network == "unix" {
		if err := a.freeSocket(); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen(a.Network, a.Address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another process: stop it or choose another address with %s", a.Address, a.Setting)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s (set by %s): %w", a.Address, a.Setting, err)
	}
	return l, nil
}

// freeSocket removes the socket of a gateway that has ended.
func (a Address) freeSocket() error {
	if c, err := net.Dial("unix", a.Address); err == nil {
		c.Close()
		return fmt.Errorf("socket %s is in use by another process: stop it or choose another path with %s", a.Address, a.Setting)
	}
	if err := os.MkdirAll(filepath.Dir(a.Address), 0o750); err != nil {
		return fmt.Errorf("directory of the socket set by %s: %w", a.Setting, err)
	}
	info, err := os.Lstat(a.Address)
	if err == nil && info.Mode().Type() == os.ModeSocket {
		return os.Remove(a.Address)
	}
	return nil
}
