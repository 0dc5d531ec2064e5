package settings

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Settings are all settings by their names in kong.conf, such as "proxy_listen".
type Settings map[string]string

// defaults are the defaults of the stand-in. They are Kong's, except for the listeners, which
// are on loopback.
var defaults = Settings{
	"prefix":        "/usr/local/kong",
	"database":      "off",
	"router_flavor": "expressions",
	"proxy_listen":  "127.0.0.1:8000, 127.0.0.1:8443 http2 ssl",
	"admin_listen":  "off",
	"status_listen": "off",
	"plugins":       "bundled",
	"log_level":     "notice",
}

// honored are the settings that have an effect, except for those of plugin servers.
var honored = []string{
	"prefix", "database", "router_flavor", "proxy_listen", "admin_listen", "status_listen", "plugins",
	"nginx_proxy_listen", "nginx_admin_listen", "nginx_admin_allow", "pluginserver_names",
	// The stand-in always behaves as these say.
	"log_level", "admin_gui_listen", "anonymous_reports", "nginx_daemon",
	"nginx_admin_client_max_body_size", "nginx_admin_client_body_buffer_size",
}

// Read returns the settings of an environment, as os.Environ returns it, and of the file,
// unless its name is empty.
func Read(environ []string, file string) (Settings, error) {
	s := maps.Clone(defaults)
	if file != "" {
		if err := s.readFile(file); err != nil {
			return nil, err
		}
	}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if key, ok := strings.CutPrefix(name, "KONG_"); ok {
			s[strings.ToLower(key)] = value
		}
	}
	prefix, err := filepath.Abs(s["prefix"])
	if err != nil {
		return nil, fmt.Errorf("setting KONG_PREFIX: %w", err)
	}
	s["prefix"] = prefix
	return s, nil
}

func (s Settings) readFile(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(uncomment(lines.Text()))
		for strings.HasSuffix(line, `\`) && lines.Scan() {
			line = strings.TrimSuffix(line, `\`) + strings.TrimSpace(uncomment(lines.Text()))
			n++
		}
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("configuration file %s: line %d is not of the form key = value", file, n)
		}
		s[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return lines.Err()
}

// uncomment removes a comment. A # in a value is written \#.
func uncomment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] != '\\') {
			line = line[:i]
			break
		}
	}
	return strings.ReplaceAll(line, `\#`, "#")
}

// Unused returns the settings without effect, sorted.
func (s Settings) Unused() []string {
	var unused []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if !slices.Contains(honored, key) && !strings.HasPrefix(key, "pluginserver_") {
			unused = append(unused, key)
		}
	}
	return unused
}

// Check returns an error for settings with which Kong would behave quite differently from the
// stand-in.
func (s Settings) Check() error {
	for key, only := range map[string]string{"database": "off", "router_flavor": "expressions"} {
		if s[key] != only {
			return fmt.Errorf("setting KONG_%s is %q: the stand-in gateway does %q only", strings.ToUpper(key), s[key], only)
		}
	}
	return nil
}

// Plugins returns the names of the enabled plugins.
func (s Settings) Plugins(bundled []string) []string {
	var names []string
	for _, name := range fields(s["plugins"], ",") {
		switch name {
		case "bundled":
			names = append(names, bundled...)
		case "off":
		default:
			names = append(names, name)
		}
	}
	return names
}

// PluginServer is a process that Kong starts beside its workers.
type PluginServer struct {
	Name         string
	StartCommand string
}

// PluginServers returns the plugin servers that have a start command.
func (s Settings) PluginServers() []PluginServer {
	var servers []PluginServer
	for _, name := range fields(s["pluginserver_names"], ",") {
		name = strings.ToLower(name)
		key := "pluginserver_" + strings.ReplaceAll(name, "-", "_") + "_start_cmd"
		command := s[key]
		if standard := "/usr/local/bin/" + name; command == "" {
			if _, err := os.Stat(standard); err == nil {
				command = standard
			}
		}
		if command != "" {
			servers = append(servers, PluginServer{Name: name, StartCommand: command})
		}
	}
	return servers
}

// WriteEnv writes .kong_env into the prefix, as Kong does before it starts.
func (s Settings) WriteEnv() error {
	var b strings.Builder
	b.WriteString("# This file is written anew at every start of the stand-in gateway.\n\n")
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if value := strings.ReplaceAll(s[key], "#", `\#`); value != "" {
			fmt.Fprintf(&b, "%s = %s\n", key, value)
		}
	}
	if err := os.MkdirAll(s["prefix"], 0o750); err != nil {
		return fmt.Errorf("setting KONG_PREFIX: %w", err)
	}
	file := filepath.Join(s["prefix"], ".kong_env")
	if err := os.WriteFile(file, []byte(b.String()), 0o640); err != nil {
		return fmt.Errorf("settings for plugin servers: %w", err)
	}
	return nil
}

// fields returns the trimmed items of a list, without empty ones.
func fields(list, separator string) []string {
	var out []string
	for item := range strings.SplitSeq(list, separator) {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
