package datapath

import (
	"net/http"
	"strings"
)

// viaHop precedes the key in the element of the header Via that Kong's plugin kube-sync-http
// appends. Via is used instead of a header of its own because Kong adds it only when it sends the
// request: no plugin and no log entry ever has the key.
const viaHop = "1.1 "

// takeKey removes the key of the rule from a request and returns it. The key is the last element of
// Via, which Kong appends to those that the client sent.
func takeKey(headers http.Header) string {
	lines := headers["Via"]
	if len(lines) == 0 {
		return ""
	}
	last := len(lines) - 1
	others, key := "", lines[last]
	if at := strings.LastIndexByte(key, ','); at >= 0 {
		others, key = key[:at], key[at+1:]
	}
	switch {
	case others != "":
		headers["Via"] = append(lines[:last:last], others)
	case last > 0:
		headers["Via"] = lines[:last]
	default:
		delete(headers, "Via")
	}
	key, ok := strings.CutPrefix(strings.TrimSpace(key), viaHop)
	if !ok {
		return ""
	}
	return key
}
