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

// ReadKong reads the settings in effect of the Kong with this prefix, by their names
// in kong.conf. Kong writes them when it starts, lists with commas between.
func ReadKong(prefix string) (map[string]string, error) {
	path := filepath.Join(prefix, ".kong_env")
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("Kong's settings in effect: %w", err)
	}
	defer file.Close()
	kong, err := parseKong(file)
	if err != nil {
		return nil, fmt.Errorf("Kong's settings in effect: %s: %w", path, err)
	}
	return kong, nil
}

// parseKong reads lines of "key = value". Kong escapes every # in a value, so one
// that is not starts a comment.
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

// adminOf finds Kong's Admin API in its settings: a Unix socket that was added to
// the listeners if there is one, else the first listener, plain before TLS.
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
		// What listens on all addresses listens on loopback.
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

// fits says what about Kong's own settings rules out that it is configured from here.
func fits(kong map[string]string) []error {
	var errs []error
	if database := kong["database"]; database != "off" {
		errs = append(errs, fmt.Errorf("KONG_DATABASE is %q: want off", database))
	}
	if flavor := kong["router_flavor"]; flavor != "expressions" {
		errs = append(errs, fmt.Errorf("KONG_ROUTER_FLAVOR is %q: want expressions", flavor))
	}
	if config := kong["declarative_config"] + kong["declarative_config_string"]; config != "" {
		errs = append(errs, errors.New("KONG_DECLARATIVE_CONFIG is set: it would replace all routes at each start of Kong"))
	}
	return errs
}
