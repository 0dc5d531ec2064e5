package tenancy

import (
	"slices"
	"strings"
)

// Limit returns how a field of a bundled plugin's configuration is limited for KongPlugins:
// "code", "template", "values", "needed", "host", "url" or "label", the first that applies, or
// empty if it is not limited.
func Limit(plugin, field string) string {
	named := func(p, f string) bool { return p == plugin && f == field }
	last := field[strings.LastIndexByte(field, '.')+1:]
	at := slices.IndexFunc(permissions, func(p permission) bool { return named(p.plugin, p.field) })
	address := slices.IndexFunc(hosts, func(h host) bool { return named(h.plugin, h.field) })
	switch {
	case slices.Contains(functions, plugin), strings.HasSuffix(last, luaSuffix):
		return "code"
	case slices.Contains(templates, plugin):
		return "template"
	case at >= 0 && permissions[at].needed:
		return "needed"
	case at >= 0:
		return "values"
	case address >= 0 && hosts[address].url:
		return "url"
	case address >= 0:
		return "host"
	case slices.ContainsFunc(labels, func(l label) bool { return named(l.plugin, l.field) }):
		return "label"
	}
	return ""
}
