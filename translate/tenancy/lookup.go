package tenancy

import (
	"errors"
	"regexp"
	"strings"
)

// maxLookups bounds the look-ups of one plugin: each can insert a header of several KiB.
const maxLookups = 64

const (
	permitLua  = "ALLOW_LUA_PLUGINS permits Lua"
	wantLookup = "is a template that does more than look-ups. Allowed are $(headers.name), $(headers[\"name\"]), " +
		"the same with query_params, uri_captures or shared, $(uri_captures[1]), and \"or\" between them and quoted strings; the setting " + permitLua
	fewerLookups = "has too many templates: a plugin may have at most 64 look-ups; the setting " + permitLua
)

// lookup matches a permitted template. It contains no inner parentheses, so that Kong's template
// engine, which looks for the closing parenthesis, finds the same end.
var lookup = func() *regexp.Regexp {
	const (
		name   = `[A-Za-z_][A-Za-z0-9_]*`
		quoted = `(?:"[ !#-&*-\[\]-~]*"|'[ !#-&*-\[\]-~]*')`
		source = `(?:(?:headers|query_params|uri_captures|shared)(?:\.` + name + `|\[` + quoted + `\])|uri_captures\[[0-9]{1,3}\])`
	)
	return regexp.MustCompile(`^\$\([ ]*` + source + `(?:[ ]+or[ ]+(?:` + source + `|` + quoted + `))*[ ]*\)`)
}()

// lookups returns the number of look-ups in a string. It is an error if a template evaluates
// anything else.
func lookups(template string) (n int, err error) {
	for {
		at := strings.Index(template, "$(")
		if at < 0 {
			return n, nil
		}
		template = template[at:]
		found := lookup.FindString(template)
		if found == "" {
			return n, errors.New(wantLookup)
		}
		n++
		template = template[len(found):]
	}
}
