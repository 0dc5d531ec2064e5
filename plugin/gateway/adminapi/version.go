package adminapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// requestPath is an Admin route of the plugin kube-sync-request; see kong-conf/lua.
const requestPath = "/kube-sync/request"

var (
	// oldestSupported is the first version that is configured. Earlier versions have
	// vulnerabilities of nginx that any client can reach.
	oldestSupported = version{3, 9, 2}
	// firstFixed is the first version without a known vulnerability.
	firstFixed = version{3, 9, 4}
)

// version is a release of Kong.
type version [3]int

func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

func (v version) before(other version) bool {
	return slices.CompareFunc(v[:], other[:], cmp.Compare[int]) < 0
}

var release = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)

func parseVersion(text string) (v version, ok bool) {
	numbers := release.FindStringSubmatch(text)
	if numbers == nil {
		return v, false
	}
	for i := range v {
		v[i], _ = strconv.Atoi(numbers[i+1])
	}
	return v, true
}

// Software is Kong's release.
type Software struct {
	// Version is the release, such as "3.9.3"; empty if Kong does not say.
	Version string
	// Unexamined is why Kong's workers do not examine requests before they route them; empty if
	// they do.
	Unexamined string
}

// Software asks Kong for its release, and whether it examines requests.
func (a *Client) Software(ctx context.Context) (Software, error) {
	answer, err := a.get(ctx, requestPath)
	if err != nil {
		return Software{}, err
	}
	var said struct{ Version, Problem string }
	switch {
	case answer.status == http.StatusOK && json.Unmarshal(answer.body, &said) == nil && said.Version != "":
		return Software{Version: said.Version, Unexamined: said.Problem}, nil
	case answer.status == http.StatusNotFound:
		return Software{Version: strings.TrimPrefix(answer.server, "kong/"), Unexamined: "its plugin kube-sync-request is not enabled"}, nil
	}
	return Software{}, answer.failure()
}

// Warnings returns warnings about the release; none if it has no known vulnerability.
func (s Software) Warnings() []string {
	var warnings []string
	switch v, ok := parseVersion(s.Version); {
	case !ok:
		warnings = append(warnings, fmt.Sprintf("Kong does not say which release it is; releases before %s have known vulnerabilities", firstFixed))
	case v.before(oldestSupported):
		warnings = append(warnings, fmt.Sprintf("Kong %s has vulnerabilities of nginx that any client can exploit, such as CVE-2026-42945 and CVE-2026-40701, and is not supported: use Kong %s or later", v, firstFixed))
	case v.before(version{3, 9, 3}):
		warnings = append(warnings, fmt.Sprintf("Kong %s has known vulnerabilities, such as CVE-2026-49975 and CVE-2026-6338: use Kong %s or later", v, firstFixed))
	case v.before(firstFixed):
		warnings = append(warnings, fmt.Sprintf("Kong %s has known vulnerabilities, such as CVE-2026-6338: use Kong %s or later", v, firstFixed))
	}
	if s.Unexamined != "" {
		warnings = append(warnings, "Kong's workers do not examine requests, so that a client can smuggle requests (CVE-2026-6338 before "+
			firstFixed.String()+"), remove headers that plugins set, and send requests in loops: "+s.Unexamined)
	}
	return warnings
}

// Refused reports whether the release is too old. It is then configured only if a setting allows
// it.
func (s Software) Refused() bool {
	v, ok := parseVersion(s.Version)
	return ok && v.before(oldestSupported)
}
