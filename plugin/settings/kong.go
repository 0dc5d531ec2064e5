package settings

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// ReadKong reads the effective settings of the Kong with a prefix, by their names in kong.conf.
// Kong writes them when it starts, with commas between the elements of a list.
func ReadKong(prefix string) (map[string]string, error) {
	path := filepath.Join(prefix, ".kong_env")
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("Kong's effective settings cannot be read: %w", err)
	}
	defer file.Close()
	kong, err := parseKong(file)
	if err != nil {
		return nil, fmt.Errorf("Kong's effective settings cannot be read: %s: %w", path, err)
	}
	return kong, nil
}

// parseKong reads lines of "key = value". Kong escapes every # in a value; any other one starts a
// comment.
func parseKong(r io.Reader) (map[string]string, error) {
	kong := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		kong[strings.TrimSpace(key)] = unescape(strings.TrimSpace(value))
	}
	return kong, lines.Err()
}

func unescape(value string) string {
	for i := 0; i < len(value); i++ {
		if value[i] == '#' && (i == 0 || value[i-1] != '\\') {
			value = strings.TrimSpace(value[:i])
		}
	}
	return strings.ReplaceAll(value, `\#`, "#")
}

// adminOf returns the address of Kong's Admin API: a Unix socket in nginx_admin_listen, or else the
// first of admin_listen, plain before TLS.
func adminOf(kong map[string]string) (string, error) {
	for listener := range strings.SplitSeq(kong["nginx_admin_listen"], ";") {
		// Further directives may follow in the same value: "unix:/a; listen unix:/b".
		listener = strings.TrimPrefix(strings.TrimSpace(listener), "listen ")
		if fields := strings.Fields(listener); len(fields) > 0 && strings.HasPrefix(fields[0], "unix:/") {
			return fields[0], nil
		}
	}
	overTLS := ""
	for listener := range strings.SplitSeq(kong["admin_listen"], ",") {
		fields := strings.Fields(listener)
		if len(fields) == 0 || fields[0] == "off" {
			continue
		}
		host, port, err := net.SplitHostPort(fields[0])
		if err != nil {
			return "", fmt.Errorf("admin_listen %q: %w", listener, err)
		}
		// Connect to loopback if Kong listens on all addresses.
		switch host {
		case "", "0.0.0.0":
			host = "127.0.0.1"
		case "::":
			host = "::1"
		}
		hostPort := net.JoinHostPort(host, port)
		if !containsWord(fields[1:], "ssl") {
			return "http://" + hostPort, nil
		}
		if overTLS == "" {
			overTLS = "https://" + hostPort
		}
	}
	if overTLS == "" {
		return "", errors.New("Kong has no Admin API: set KONG_NGINX_ADMIN_LISTEN=unix:PREFIX/admin.sock, and KONG_ADMIN_LISTEN to something other than off")
	}
	return overTLS, nil
}

func containsWord(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// checkKong returns an error for each setting of Kong that prevents kube-sync from configuring it.
func checkKong(kong map[string]string) []error {
	var errs []error
	if database := kong["database"]; database != "off" {
		errs = append(errs, fmt.Errorf("KONG_DATABASE is %q: want off", database))
	}
	if flavor := kong["router_flavor"]; flavor != "expressions" {
		errs = append(errs, fmt.Errorf("KONG_ROUTER_FLAVOR is %q: want expressions", flavor))
	}
	if config := kong["declarative_config"] + kong["declarative_config_string"]; config != "" {
		errs = append(errs, errors.New("KONG_DECLARATIVE_CONFIG is set: unset it, as it would replace all routes at each start of Kong"))
	}
	return errs
}
