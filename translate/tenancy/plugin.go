package tenancy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
)

// CheckPlugin returns an error if a KongPlugin must not have this configuration, a tree of JSON
// values.
func (o Options) CheckPlugin(plugin string, tree any) error {
	if schema, ok := kong.Bundled(plugin); ok && schema.NoRoute && schema.NoService && schema.NoConsumer {
		return fmt.Errorf("the plugin %s works for the whole gateway only: use a KongClusterPlugin with the label global", plugin)
	}
	if o.Isolated && !slices.Contains(harmless, plugin) && !o.listed(plugin) {
		return fmt.Errorf("a KongPlugin must not use the plugin %s while TENANCY is isolated; "+
			"a KongClusterPlugin may, and the setting ISOLATED_PLUGINS permits it to KongPlugins", plugin)
	}
	if err := o.CheckLua(plugin, tree); err != nil {
		return err
	}
	if o.Isolated && !o.listed(plugin) && slices.Contains(templates, plugin) {
		if err := Strings(tree, config, noTemplate); err != nil {
			return err
		}
	}
	for _, p := range permissions {
		if p.plugin == plugin {
			if err := o.permits(p, tree); err != nil {
				return err
			}
		}
	}
	return o.checkHosts(plugin, tree)
}

// CheckConsumerPlugin returns an error if a plugin with this configuration, a JSON object, must
// not be limited to a consumer only. Without a route or Service, Kong counts by what several
// consumers share, such as an address, for the whole gateway: one consumer could use up another
// one's quota.
func (o Options) CheckConsumerPlugin(plugin string, configuration []byte) error {
	var c struct {
		LimitBy string `json:"limit_by"`
	}
	_ = json.Unmarshal(configuration, &c) // Kong refuses what is not an object
	if o.Everywhere() || !slices.Contains(counting, plugin) || slices.Contains(ofOneConsumer, c.LimitBy) {
		return nil
	}
	return fmt.Errorf("config.limit_by is %s, which a plugin of a consumer only must not have: use consumer or credential, "+
		"or name the plugin on a route or Service too; the setting CONSUMER_PLUGINS=everywhere permits it", c.LimitBy)
}

// counting are the bundled plugins that count requests.
var counting = []string{"rate-limiting", "response-ratelimiting"}

// ofOneConsumer are the values of limit_by by which consumers share no counter. Empty is Kong's
// default, consumer.
var ofOneConsumer = []string{"", "consumer", "credential"}

// permits returns an error if a configuration violates a permission.
func (o Options) permits(p permission, tree any) error {
	if p.isolated && (!o.Isolated || o.listed(p.plugin)) {
		return nil
	}
	if p.when.field != "" && !slices.Contains(at(tree, strings.Split(p.when.field, ".")), p.when.value) {
		return nil
	}
	values, path := at(tree, strings.Split(p.field, ".")), configured(p.field)
	if p.needed {
		if len(values) == 0 && !o.covers(p, "") {
			return faultAt(path, fmt.Errorf("%s is missing, so the plugin would use %s, which a KongPlugin must not; "+
				"the setting ALLOW_PLUGIN_FIELDS permits it with %s=", path, p.is, p.name()))
		}
		return nil
	}
	for _, value := range values {
		text, ok := value.(string)
		if ok && (slices.Contains(p.values, text) || o.covers(p, text)) {
			continue
		}
		return faultAt(path, fmt.Errorf("%s is %s: %s; the setting ALLOW_PLUGIN_FIELDS permits more, such as %s=%s",
			path, p.is, p.allowed(), p.name(), p.example))
	}
	return nil
}

// allowed describes the values permitted to every namespace.
func (p permission) allowed() string {
	allowed := "a KongPlugin must not set it"
	if len(p.values) > 0 {
		allowed = "a KongPlugin may set it to " + strings.Join(p.values, " or ")
	}
	if p.isolated {
		allowed += " while TENANCY is isolated"
	}
	return allowed
}

// covers reports whether the operator permits a value.
func (o Options) covers(p permission, value string) bool {
	return slices.ContainsFunc(o.Fields, func(f FieldValue) bool {
		return f.Plugin == p.plugin && f.Field == p.field && f.covers(value)
	})
}

// checkHosts returns an error if a configuration names a host that plugins must not name.
func (o Options) checkHosts(plugin string, tree any) error {
	for _, h := range hosts {
		if h.plugin != plugin {
			continue
		}
		for _, text := range h.named(tree) {
			if h.url && o.deniedURL(text) || !h.url && o.deniedHost(text) {
				path := configured(h.field)
				return faultAt(path, fmt.Errorf("%s is an address of the gateway itself, of its link or of the cloud's metadata service, which a KongPlugin must not reach", path))
			}
		}
	}
	for _, l := range labels {
		if l.plugin != plugin {
			continue
		}
		for _, value := range at(tree, strings.Split(l.field, ".")) {
			if text, ok := value.(string); ok && !isLabel(text) {
				path := configured(l.field)
				return faultAt(path, fmt.Errorf("%s is part of a host name, in which only letters, digits, dots, - and _ are allowed", path))
			}
		}
	}
	return nil
}

// named returns the hosts, or URLs, in a configuration.
func (h host) named(tree any) (all []string) {
	for _, value := range at(tree, strings.Split(h.field, ".")) {
		text, _ := value.(string)
		all = append(all, text)
		if h.under == "" {
			continue
		}
		for _, prefix := range at(tree, strings.Split(h.under, ".")) {
			all = append(all, fmt.Sprint(prefix)+"."+text)
		}
	}
	return all
}

// Unreachable returns the field whose default makes a plugin connect to a denied address of the
// gateway itself; empty if there is none.
func (o Options) Unreachable(plugin string, tree any) field.Path {
	for _, h := range hosts {
		if h.plugin == plugin && h.fallback != "" && o.deniedHost(h.fallback) && len(at(tree, strings.Split(h.field, "."))) == 0 {
			return configured(h.field)
		}
	}
	return ""
}

// CheckLua returns an error if Kong would run code in a configuration. The operator permits code
// for all plugins or for none.
func (o Options) CheckLua(plugin string, tree any) error {
	if o.AllowLua {
		return nil
	}
	if slices.Contains(functions, plugin) {
		return fmt.Errorf("the plugin %s runs Lua code; the setting %s", plugin, permitLua)
	}
	if err := o.CheckLuaFields(config, tree); err != nil || !slices.Contains(templates, plugin) {
		return err
	}
	return checkTemplates(tree)
}

// CheckLuaFields returns an error if a tree of JSON values at a path has fields that hold code.
func (o Options) CheckLuaFields(path field.Path, tree any) error {
	if code := luaField(tree, path); code != "" && !o.AllowLua {
		return faultAt(code, fmt.Errorf("%s is Lua code; the setting %s", code, permitLua))
	}
	return nil
}

func noTemplate(path field.Path, text string) error {
	if strings.Contains(text, "$(") {
		return faultAt(path, fmt.Errorf("%s is a template, which a KongPlugin must not have while TENANCY is isolated; the setting ISOLATED_PLUGINS permits it", path))
	}
	return nil
}

func checkTemplates(tree any) error {
	total := 0
	err := Strings(tree, config, func(path field.Path, text string) error {
		n, err := lookups(text)
		if err != nil {
			return faultAt(path, fmt.Errorf("%s %w", path, err))
		}
		if total += n; total > maxLookups {
			return faultAt(path, fmt.Errorf("%s %s", path, fewerLookups))
		}
		return nil
	})
	return err
}

// luaField returns the first field that holds code; empty if there is none.
func luaField(tree any, path field.Path) field.Path {
	switch tree := tree.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			value, inner := tree[name], path.Child(name)
			if strings.HasSuffix(strings.ToLower(name), luaSuffix) && value != nil {
				return inner
			}
			if code := luaField(value, inner); code != "" {
				return code
			}
		}
	case []any:
		for i, value := range tree {
			if code := luaField(value, path.Index(i)); code != "" {
				return code
			}
		}
	}
	return ""
}
