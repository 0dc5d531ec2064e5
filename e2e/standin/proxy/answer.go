package proxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
)

// Product is the stand-in's name in the headers Server and Via, which tells its answers
// from Kong's.
const Product = "kube-sync-standin/3.9.3"

const requestIDHeader = "X-Kong-Request-Id"

// answer sends an error in the format of Kong's errors.
func answer(w http.ResponseWriter, id string, status int, message string) {
	w.Header().Set("Server", Product)
	w.Header().Set(requestIDHeader, id)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	quoted, _ := json.Marshal(message) // a string always has a JSON form
	body := fmt.Sprintf("{\n  \"message\":%s,\n  \"request_id\":%q\n}", quoted, id)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// insistOnTLS answers a plain request for a route that accepts only HTTPS.
func insistOnTLS(w http.ResponseWriter, r *http.Request, id string, status int) {
	if status == http.StatusUpgradeRequired {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "TLS/1.2, HTTP/1.1")
		answer(w, id, status, "Please use HTTPS protocol")
		return
	}
	w.Header().Set("Server", Product)
	w.Header().Set(requestIDHeader, id)
	w.Header().Set("Location", "https://"+hostOnly(r.Host)+r.RequestURI)
	w.WriteHeader(status)
}

// purposes say what the plugins of kube-sync do, whose names are in no manifest.
var purposes = map[string]string{
	"kube-sync-http": "the filters and weights of a route",
	"kube-sync-cors": "the CORS filter of a route",
}

// cannotRun returns the message for a route with plugins that the stand-in cannot run.
func cannotRun(plugins []string) string {
	named := make([]string, len(plugins))
	for i, name := range plugins {
		named[i] = name
		if purpose := purposes[name]; purpose != "" {
			named[i] += " (" + purpose + ")"
		}
	}
	return "the stand-in gateway cannot run plugin " + strings.Join(named, ", ") + ": use Kong"
}

var terminationMessages = map[int]string{
	401: "Unauthorized", 404: "Not found", 405: "Method not allowed",
	500: "An unexpected error occurred", 502: "Bad Gateway", 503: "Service unavailable",
}

// terminate runs the plugin request-termination.
func terminate(w http.ResponseWriter, id string, c *declarative.TerminationConfig) {
	h := w.Header()
	h.Set("Server", Product)
	h.Set(requestIDHeader, id)
	body := []byte(c.Body)
	if c.Body != "" {
		h.Set("Content-Type", c.ContentType)
		if c.ContentType == "" {
			h["Content-Type"] = nil // no guess by the server
		}
	} else {
		message := c.Message
		if message == "" {
			message = terminationMessages[c.StatusCode]
		}
		if message != "" {
			h.Set("Content-Type", "application/json; charset=utf-8")
			body, _ = json.Marshal(map[string]string{"message": message})
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(c.StatusCode)
	_, _ = w.Write(body)
}

// answerAll runs a plugin that does nothing but answer.
func answerAll(w http.ResponseWriter, id string, a *declarative.Answer) {
	if a.Identified {
		answer(w, id, a.Status, a.Message)
		return
	}
	terminate(w, id, &declarative.TerminationConfig{StatusCode: a.Status, Message: a.Message})
}

// hostOnly returns a Host header in lower case, without the port. An IPv6 address keeps its
// brackets.
func hostOnly(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(host)
}
