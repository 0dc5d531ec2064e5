package kong

import (
	"strings"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// upstream returns the balancing of a backend's targets.
func upstream(b route.Backend, id string) gokong.Upstream {
	u := gokong.Upstream{
		ID:         &id,
		Name:       &b.Host,
		Algorithm:  gokong.String("round-robin"),
		HostHeader: optional(b.HostHeader),
		Tags:       gokong.StringSlice(b.Tags...),
	}
	if b.Balancing == nil {
		return u
	}
	if b.Balancing.Algorithm != "" {
		u.Algorithm = &b.Balancing.Algorithm
	}
	u.Slots = b.Balancing.Slots
	hashing(&u, b.Balancing.HashOn, b.Balancing.HashFallback)
	if h := b.Balancing.Health; h != nil {
		u.Healthchecks = &gokong.Healthcheck{Active: active(h.Active), Passive: passive(h.Passive), Threshold: h.Threshold}
	}
	return u
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func hashing(u *gokong.Upstream, on, fallback route.Hash) {
	u.HashOn, u.HashFallback = optional(on.On), optional(fallback.On)
	switch on.On {
	case "header":
		u.HashOnHeader = headerVariable(on.Name)
	case "query_arg":
		u.HashOnQueryArg = &on.Name
	case "uri_capture":
		u.HashOnURICapture = &on.Name
	}
	switch fallback.On {
	case "header":
		u.HashFallbackHeader = headerVariable(fallback.Name)
	case "query_arg":
		u.HashFallbackQueryArg = &fallback.Name
	case "uri_capture":
		u.HashFallbackURICapture = &fallback.Name
	}
	for _, hash := range []route.Hash{on, fallback} {
		if hash.On == "cookie" {
			u.HashOnCookie, u.HashOnCookiePath = &hash.Name, optional(hash.CookiePath)
		}
	}
}

// headerVariable returns a header's name as in nginx variables. Kong 3.9 looks up the variable by
// the given name, and nginx has none for X-Session.
func headerVariable(name string) *string {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	return &name
}

func active(c *route.Check) *gokong.ActiveHealthcheck {
	if c == nil {
		return nil
	}
	return &gokong.ActiveHealthcheck{
		Type:                   optional(c.Type),
		Concurrency:            c.Concurrency,
		Timeout:                c.Timeout,
		HTTPPath:               optional(c.Path),
		HTTPSSni:               optional(c.SNI),
		HTTPSVerifyCertificate: c.VerifyCertificate,
		Headers:                c.Headers,
		Healthy:                healthy(c.Healthy),
		Unhealthy:              unhealthy(c.Unhealthy),
	}
}

func passive(c *route.Check) *gokong.PassiveHealthcheck {
	if c == nil {
		return nil
	}
	return &gokong.PassiveHealthcheck{Type: optional(c.Type), Healthy: healthy(c.Healthy), Unhealthy: unhealthy(c.Unhealthy)}
}

func healthy(o *route.Outcome) *gokong.Healthy {
	if o == nil {
		return nil
	}
	return &gokong.Healthy{Interval: o.Interval, HTTPStatuses: o.Statuses, Successes: o.Successes}
}

func unhealthy(o *route.Outcome) *gokong.Unhealthy {
	if o == nil {
		return nil
	}
	return &gokong.Unhealthy{
		Interval:     o.Interval,
		HTTPStatuses: o.Statuses,
		HTTPFailures: o.HTTPFailures,
		TCPFailures:  o.TCPFailures,
		Timeouts:     o.Timeouts,
	}
}
