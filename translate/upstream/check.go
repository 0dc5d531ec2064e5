package upstream

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// checker removes values that Kong 3.9 does not accept, with a verdict for each.
type checker struct {
	key      unit.Key
	reason   string
	verdicts []unit.Verdict
}

func (c *checker) warn(at field.Path, reason, format string, args ...any) {
	c.verdicts = append(c.verdicts, unit.Warning(c.key, reason, fmt.Sprintf(format, args...)).At(at))
}

func (c *checker) refuse(at field.Path, format string, args ...any) {
	c.warn(at, c.reason, format, args...)
}

// place is a part of an object: its name in messages, and its field.
type place struct {
	name string
	path field.Path
	// snake is set if the object's fields have names such as hash_on instead of hashOn.
	snake bool
}

func (p place) String() string { return p.name }

// in returns a part of the place that is named after its field.
func (p place) in(name string) place { return place{p.name + "." + name, p.at(name), p.snake} }

// at returns the path of a field of the place, by its name in KongUpstreamPolicies.
func (p place) at(name string) field.Path {
	if !p.snake {
		return p.path.Child(name)
	}
	if name == "hashOnFallback" {
		return p.path.Child("hash_fallback")
	}
	return p.path.Child(strings.ToLower(capital.ReplaceAllString(name, "_$0")))
}

var capital = regexp.MustCompile(`[A-Z]`)

// The algorithms that hash. Only Kong Enterprise has stickySessions.
const (
	hashing        = "consistent-hashing"
	stickySessions = "sticky-sessions"
)

var (
	algorithms = []string{"round-robin", hashing, "least-connections", "latency"}
	inputs     = []string{"consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"}
	inputNames = map[string]string{"header": "header", "cookie": "cookie", "query_arg": "query parameter", "uri_capture": "capture of the path"}
	types      = []string{"http", "https", "tcp", "grpc", "grpcs"}

	headerName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	cookieName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	path       = regexp.MustCompile(`^(/([A-Za-z0-9._~:@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)*/?$`)
)

// balancing checks b and modifies it in place.
func (c *checker) balancing(where place, b *route.Balancing) {
	if b.Algorithm == stickySessions {
		c.refuse(where.at("algorithm"), "%s.algorithm: Kong 3.9 does not support %s; use %s with a cookie to keep a client at one endpoint", where, stickySessions, hashing)
		b.Algorithm = ""
	}
	if b.Algorithm != "" && !slices.Contains(algorithms, b.Algorithm) {
		c.refuse(where.at("algorithm"), "%s.algorithm: %q is not one of %s", where, b.Algorithm, strings.Join(algorithms, ", "))
		b.Algorithm = ""
	}
	c.number(where.in("slots"), &b.Slots, 10, 1<<16)
	c.hash(place{where.name + ": hashOn", where.at("hashOn"), where.snake}, &b.HashOn)
	c.hash(place{where.name + ": hashOnFallback", where.at("hashOnFallback"), where.snake}, &b.HashFallback)
	c.hashes(where, b)
	if b.Health != nil {
		c.health(where.in("healthchecks"), b.Health)
	}
}

func (c *checker) hash(where place, h *route.Hash) {
	valid := true
	switch {
	case h.On == "":
		return
	case !slices.Contains(inputs, h.On):
		c.refuse(where.path, "%s: %q is not one of %s", where, h.On, strings.Join(inputs, ", "))
		*h = route.Hash{}
		return
	case h.On == "header":
		valid = headerName.MatchString(h.Name)
	case h.On == "cookie":
		valid = cookieName.MatchString(h.Name)
		if h.CookiePath != "" && !path.MatchString(h.CookiePath) {
			c.refuse(where.path, "%s: cookie path %q is not a path", where, h.CookiePath)
			h.CookiePath = ""
		}
	case h.On == "query_arg" || h.On == "uri_capture":
		valid = h.Name != ""
	}
	if !valid {
		c.refuse(where.path, "%s: %q is not the name of a %s", where, h.Name, inputNames[h.On])
		*h = route.Hash{}
	}
}

// hashes checks the two inputs against each other and against the algorithm.
func (c *checker) hashes(where place, b *route.Balancing) {
	none := route.Hash{}
	if b.Algorithm != hashing {
		if b.HashOn != none || b.HashFallback != none {
			on := "hashOn"
			if b.HashOn == none {
				on = "hashOnFallback"
			}
			c.refuse(where.at(on), "%s: hashing inputs only have an effect with the algorithm %s", where, hashing)
			b.HashOn, b.HashFallback = none, none
		}
		return
	}
	if b.HashOn == none {
		if b.HashFallback != none {
			c.refuse(where.at("hashOnFallback"), "%s: hashOnFallback is used as hashOn, which is missing", where)
			b.HashOn, b.HashFallback = b.HashFallback, none
		} else {
			// Without an input, Kong 3.9 would use round-robin.
			b.HashOn.On = "ip"
		}
	}
	same := b.HashOn.On == b.HashFallback.On
	switch {
	case b.HashFallback == none:
	case b.HashOn.On == "cookie":
		c.refuse(where.at("hashOnFallback"), "%s: hashOnFallback has no effect, because Kong always sets the cookie", where)
		b.HashFallback = none
	case same && b.HashOn.On == "header" && canonical(b.HashOn.Name) == canonical(b.HashFallback.Name),
		same && b.HashOn == b.HashFallback:
		c.refuse(where.at("hashOnFallback"), "%s: hashOnFallback is the same as hashOn", where)
		b.HashFallback = none
	}
}

func canonical(header string) string {
	return strings.ReplaceAll(strings.ToLower(header), "-", "_")
}

func (c *checker) health(where place, h *route.Health) {
	if h.Threshold != nil && !(*h.Threshold >= 0 && *h.Threshold <= 100) {
		c.refuse(where.at("threshold"), "%s.threshold: %v is not a percentage from 0 to 100", where, *h.Threshold)
		h.Threshold = nil
	}
	if h.Active != nil {
		c.check(where.in("active"), h.Active)
	}
	if h.Passive != nil {
		c.check(where.in("passive"), h.Passive)
		for _, o := range []*route.Outcome{h.Passive.Healthy, h.Passive.Unhealthy} {
			if o != nil && o.Interval != nil {
				c.refuse(where.at("passive"), "%s.passive: only active checks have an interval", where)
				o.Interval = nil
			}
		}
	}
}

// The largest values that Kong accepts.
const (
	maxSeconds = 65535
	maxCount   = 255
)

func (c *checker) check(where place, k *route.Check) {
	if k.Type != "" && !slices.Contains(types, k.Type) {
		c.refuse(where.at("type"), "%s.type: %q is not one of %s", where, k.Type, strings.Join(types, ", "))
		k.Type = ""
	}
	if k.Path != "" && !path.MatchString(k.Path) {
		c.refuse(where.at("httpPath"), "%s: %q is not a path", where, k.Path)
		k.Path = ""
	}
	if k.SNI != "" && (len(validation.IsDNS1123Subdomain(strings.ToLower(k.SNI))) > 0 || !kong.IsName(k.SNI)) {
		c.refuse(where.at("httpsSni"), "%s: %q is not a server name", where, k.SNI)
		k.SNI = ""
	}
	c.number(where.in("concurrency"), &k.Concurrency, 1, 1<<31-1)
	c.number(where.in("timeout"), &k.Timeout, 0, maxSeconds)
	k.Headers = c.headers(where, k.Headers)
	if k.Healthy != nil {
		c.outcome(where.in("healthy"), k.Healthy)
	}
	if k.Unhealthy != nil {
		c.outcome(where.in("unhealthy"), k.Unhealthy)
	}
}

func (c *checker) headers(where place, given map[string][]string) map[string][]string {
	headers := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		values := given[name]
		switch {
		case !headerName.MatchString(name) || strings.EqualFold(name, "host"):
			c.refuse(where.at("headers"), "%s.headers: %q is not the name of a header that can be set", where, name)
		case len(values) > 0:
			headers[name] = values
		}
	}
	if len(headers) == 0 {
		return nil
	}
	return headers
}

func (c *checker) outcome(where place, o *route.Outcome) {
	c.number(where.in("interval"), &o.Interval, 0, maxSeconds)
	c.number(where.in("successes"), &o.Successes, 0, maxCount)
	c.number(where.in("httpFailures"), &o.HTTPFailures, 0, maxCount)
	c.number(where.in("tcpFailures"), &o.TCPFailures, 0, maxCount)
	c.number(where.in("timeouts"), &o.Timeouts, 0, maxCount)
	o.Statuses = slices.Clone(o.Statuses)
	o.Statuses = slices.DeleteFunc(o.Statuses, func(status int) bool {
		if status >= 100 && status <= 999 {
			return false
		}
		c.refuse(where.at("httpStatuses"), "%s.httpStatuses: %d is not a status", where, status)
		return true
	})
}

// number removes a number that is out of bounds.
func (c *checker) number(where place, n **int, least, most int) {
	if *n != nil && (**n < least || **n > most) {
		c.refuse(where.path, "%s: %d is not a number from %d to %d", where, **n, least, most)
		*n = nil
	}
}

// HostHeader parses the Host header for requests to endpoints. It removes a port, because Kong adds
// the endpoint's port unless that is the protocol's default. Wrong, if not empty, completes a
// sentence such as "x is not ...".
func HostHeader(host string) (name, wrong string) {
	name, _, found := strings.Cut(host, ":")
	switch {
	case host == "":
		return "", ""
	case len(validation.IsDNS1123Subdomain(strings.ToLower(name))) > 0 || !kong.IsHost(name):
		return "", "a host name"
	case found:
		return name, "a host name without a port; Kong adds the endpoint's port to " + name
	}
	return name, ""
}
