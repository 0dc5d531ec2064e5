package filter

import (
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// corsPlugin implements CORS filters. It runs before authentication, the plugin of the other
// filters after it.
const corsPlugin = "kube-sync-cors"

// cors is the plugin's configuration. Lists of names are separated by commas, as in headers.
type cors struct {
	Origins     []string `json:"origins"`
	Methods     string   `json:"methods,omitempty"`
	Headers     string   `json:"headers,omitempty"`
	Expose      string   `json:"expose,omitempty"`
	Credentials bool     `json:"credentials,omitempty"`
	// MaxAge is in seconds.
	MaxAge int `json:"max_age"`
}

// defaultMaxAge is the default of Gateway API, in seconds.
const defaultMaxAge = 5

func corsOf(filter *gatewayv1.HTTPCORSFilter) *cors {
	c := &cors{
		Origins:     []string{},
		Methods:     joined(filter.AllowMethods),
		Headers:     joined(filter.AllowHeaders),
		Expose:      joined(filter.ExposeHeaders),
		Credentials: ptr.Deref(filter.AllowCredentials, false),
		MaxAge:      int(filter.MaxAge),
	}
	for _, origin := range filter.AllowOrigins {
		c.Origins = append(c.Origins, serialized(origin))
	}
	if c.MaxAge == 0 {
		c.MaxAge = defaultMaxAge
	}
	return c
}

// serialized returns an origin as browsers send it: in lower case, without a default port.
func serialized(origin gatewayv1.CORSOrigin) string {
	o := strings.ToLower(string(origin))
	if strings.HasPrefix(o, "https:") {
		return strings.TrimSuffix(o, ":443")
	}
	return strings.TrimSuffix(o, ":80")
}

func joined[T ~string](names []T) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = string(name)
	}
	return strings.Join(all, ", ")
}
