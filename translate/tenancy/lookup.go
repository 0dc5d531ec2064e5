package tenancy

import (
	"errors"
	"regexp"
	"strings"
)

// maxLookups bounds the look-ups of one plugin: each can put a header of several KiB into
// the result.
const maxLookups = 64

const (
	permitLua  = "ALLOW_LUA_PLUGINS permits Lua"
	wantLookup = "is a template with more than look-ups. Allowed are $(headers.name), $(headers[\"name\"]), " +
		"the same with query_params, uri_captures or shared, $(uri_captures[1]), and \"or\" between them and quoted strings; the setting " + permitLua
	fewerLookups = "has too many templates: a plugin may have 64 look-ups; the setting " + permitLua
)

// lookup is what Kong's template engine may find after a dollar sign. It has no parenthesis
// within, so that the engine, which looks for the parenthesis that closes the first one,
// finds the same end.
var lookup = func() *regexp.Regexp {
	const (
		name   = `[A-Za-z_][A-Za-z0-9_]*`
		quoted = `(?:"[ !#-&*-\[\]-~]*"|'[ !#-&*-\[\]-~]*')`
		source = `(?:(?:headers|query_params|uri_captures|shared)(?:\.` + name + `|\[` + quoted + `\])|uri_captures\[[0-9]{1,3}\])`
	)
	return regexp.MustCompile(`^\$\([ ]*` + source + `(?:[ ]+or[ ]+(?:` + source + `|` + quoted + `))*[ ]*\)`)
}()

// lookups counts the look-ups in a template. It returns an error for a template that
// evaluates anything else.
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
