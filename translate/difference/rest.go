package difference

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// words are the names of types for people. Other types are named as in Kong's configuration.
var words = map[kong.Type]string{
	kong.Certificates: "certificate", kong.SNIs: "server name", kong.CACertificates: "CA certificate", kong.Services: "service",
	kong.Routes: "route", kong.Upstreams: "upstream", kong.Targets: "endpoint", kong.Consumers: "consumer",
	kong.ConsumerGroups: "consumer group", kong.ConsumerGroupMembers: "consumer group membership",
	kong.KeyAuths: "key-auth credential", kong.BasicAuths: "basic-auth credential", kong.HMACAuths: "hmac-auth credential",
	kong.JWTs: "JWT credential", kong.ACLs: "ACL group", kong.OAuth2s: "OAuth2 credential", kong.Vaults: "vault", kong.Plugins: "plugin",
}

func word(of kong.Type) string {
	if name, ok := words[of]; ok {
		return name
	}
	return "custom entity"
}

// plain are the fields whose values sentences may quote: numbers, switches and names that are no
// secrets, of services and upstreams.
var plain = []string{
	"protocol", "port", "path", "retries", "connect_timeout", "read_timeout", "write_timeout", "tls_verify", "tls_verify_depth",
	"algorithm", "hash_on", "hash_fallback", "slots",
}

// rest says what changes besides, for each object and type.
func (c *comparison) rest() {
	type group struct {
		object unit.Key
		verb   string
		kind   kong.Type
	}
	groups := grouped[group, Change]{}
	for _, e := range c.entities {
		switch {
		case c.covered[e.Ref]:
		case e.Before == nil:
			groups.add(group{e.Object, "adds", e.Ref.Type}, e)
		case e.After == nil:
			groups.add(group{e.Object, "removes", e.Ref.Type}, e)
		default:
			groups.add(group{e.Object, "changes " + fieldsSaid(e) + " of", e.Ref.Type}, e)
		}
	}
	for _, g := range groups.keys {
		var refs []kong.Ref
		var named []string
		for _, e := range groups.values[g] {
			refs = append(refs, e.Ref)
			if e.Name != "" && g.kind != kong.Services && g.kind != kong.Upstreams {
				named = append(named, e.Name)
			}
		}
		what := plural(len(refs), word(g.kind))
		if len(refs) == 1 {
			what = "the " + word(g.kind)
		}
		if len(named) > 0 {
			what += " " + list(slices.Sorted(slices.Values(named)))
		}
		c.say(g.object, refs, "%s %s", g.verb, what)
	}
}

// fieldsSaid names the fields that differ, with their values where these are plain.
func fieldsSaid(e Change) string {
	var said []string
	for _, name := range e.Fields {
		if slices.Contains(plain, name) && slices.Contains([]kong.Type{kong.Services, kong.Upstreams}, e.Ref.Type) {
			said = append(said, alteration(name, e.Before.JSON, e.After.JSON))
		} else if name != "tags" || len(e.Fields) == 1 {
			said = append(said, name)
		}
	}
	return strings.Join(said, ", ")
}
