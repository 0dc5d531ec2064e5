package datapath

import (
	"net/http"
	"strings"
)

// viaHop introduces the element of the header Via that Kong's plugin kube-sync-http appends: the
// protocol and the key of the rule. Via and not a header of its own: Kong makes it only when it sends
// the request, so that neither a plugin nor a log entry ever has the key.
const viaHop = "1.1 "

// takeKey returns the key that a request names its rule by, and removes it from the headers. It is
// the last element of Via, which Kong appends after those that the client sent.
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
