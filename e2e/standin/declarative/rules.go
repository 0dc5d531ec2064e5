package declarative

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// rules are the checks of an entity that involve several fields.
var rules = map[string]func(r *reader, e Entity, refused *Refused){
	"certificates": (*reader).certificate,
	"routes":       (*reader).route,
	"services":     (*reader).service,
	"plugins":      (*reader).plugin,
}

func (r *reader) certificate(e Entity, refused *Refused) {
	cert, _ := e["cert"].(string)
	key, _ := e["key"].(string)
	if cert == "" || key == "" {
		return // said already
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	switch {
	case err == nil:
		r.pairs[cert+key] = pair
	case strings.Contains(err.Error(), "does not match"):
		refused.add("", "certificate does not match key")
	case strings.Contains(err.Error(), "key"):
		refused.add("key", "invalid key: "+err.Error())
	default:
		refused.add("cert", "invalid certificate: "+err.Error())
	}
}

func (r *reader) service(e Entity, refused *Refused) {
	protocol, _ := e["protocol"].(string)
	var senseless []string
	if slices.Contains([]string{"tcp", "tls", "udp", "grpc", "grpcs"}, protocol) {
		senseless = []string{"path"}
	}
	if protocol != "https" && protocol != "tls" {
		senseless = append(senseless, "client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates")
	}
	for _, name := range senseless {
		if e[name] != nil {
			refused.add(name, "value must be null")
			refused.add("", "failed conditional validation given value of field 'protocol'")
		}
	}
}

func (r *reader) route(e Entity, refused *Refused) {
	text, _ := e["expression"].(string)
	if text == "" {
		refused.add("", "the stand-in gateway takes routes with an expression only")
		return
	}
	if _, done := r.programs[text]; done {
		return
	}
	parsed, err := expression.Parse(text)
	if err == nil {
		r.programs[text], err = expression.Compile(parsed)
	}
	if err != nil {
		delete(r.programs, text)
		refused.add("", "Router Expression failed validation: "+err.Error())
	}
}

func (r *reader) plugin(e Entity, refused *Refused) {
	name, _ := e["name"].(string)
	if name != "" && !slices.Contains(r.plugins, name) {
		refused.add("name", fmt.Sprintf("plugin '%s' not enabled; add it to the 'plugins' configuration property", name))
		return
	}
	if name != Termination || e["config"] == nil {
		return
	}
	config, ok := e["config"].(map[string]any)
	if !ok {
		refused.add("config", "expected a record")
		return
	}
	termination.check(config, "config.", refused)
	hasRaw := config["body"] != nil || config["content_type"] != nil
	if config["message"] != nil && hasRaw {
		refused.add("config", "message cannot be used with content_type or body")
	}
	if config["content_type"] != nil && config["body"] == nil {
		refused.add("config", "content_type requires a body")
	}
}

// splitTarget returns the host and the port of a target. The default port is 8000.
func splitTarget(s string) (host string, port int, err error) {
	host, number, err := net.SplitHostPort(s)
	if err != nil {
		host, number = strings.Trim(s, "[]"), "8000"
	}
	if host == "" || strings.ContainsAny(host, " /?#@[]_") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", 0, errors.New("not a host and a port")
	}
	port, err = strconv.Atoi(number)
	if err != nil || port < 1 || port > 65535 {
		return "", 0, errors.New("not a port")
	}
	return host, port, nil
}
