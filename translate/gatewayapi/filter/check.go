package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Wrong is an error about a field of a filter or rule.
func Wrong(path field.Path, format string, args ...any) error {
	return unit.WithFault(fmt.Errorf(format, args...), unit.At(path))
}

// What the schemas of the plugins kube-sync-http and kube-sync-cors take. An API server that
// has the definitions of Gateway API leaves little to refuse here; manifests from files, and
// what the definitions have no rule for, come as they are. Tests hold these to the schemas.

// headerNames are a list of names as a header has it, or "*".
var headerNames = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z, -]+$")

// hostname is a name that requests are sent on with, or redirected to.
var hostname = regexp.MustCompile(`^[0-9A-Za-z._-]+$`)

var (
	redirectStatuses = []int{301, 302, 303, 307, 308}
	redirectSchemes  = []string{"", "http", "https"}
)

const maxPort = 65535

// singleLine reports whether a value has no control characters, by which it could be more
// than a value: the end of a header, for one.
func singleLine(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
}

const noControl = "has a control character, such as a line break, which no header and no path can have"

// check says what no plugin can do of what filters ask for.
func (c chain) check() error {
	return errorsIn(
		inField("requestHeaderModifier", c.Request.check()),
		inField("responseHeaderModifier", c.Response.check()),
		inField("urlRewrite", c.Rewrite.check()),
		inField("requestRedirect", c.Redirect.check()),
	)
}

// errorsIn returns the first error.
func errorsIn(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// inField puts an error into a field.
func inField(path field.Path, err error) error {
	if err == nil {
		return nil
	}
	return unit.WithFault(fmt.Errorf("%s.%w", path, err), unit.FaultOf(err, "").Within(path))
}

func (h *headers) check() error {
	if h == nil {
		return nil
	}
	if err := errorsIn(checkHeaders("set", h.Set), checkHeaders("add", h.Add)); err != nil {
		return err
	}
	for _, name := range h.Remove {
		if !Token.MatchString(name) {
			return Wrong("remove", "remove: %q is not the name of a header", name)
		}
	}
	return nil
}

func checkHeaders(at field.Path, all []header) error {
	for _, h := range all {
		if !Token.MatchString(h.Name) {
			return Wrong(at, "%s: %q is not the name of a header", at, h.Name)
		}
		if !singleLine(h.Value) {
			return Wrong(at, "%s: the value of header %s %s", at, h.Name, noControl)
		}
	}
	return nil
}

func (r *rewrite) check() error {
	if r == nil {
		return nil
	}
	return errorsIn(checkHost(r.Host), r.Path.check())
}

func (r *redirect) check() error {
	switch {
	case r == nil:
		return nil
	case !slices.Contains(redirectStatuses, r.Status):
		return Wrong("statusCode", "statusCode: %d is not the status of a redirect: 301, 302, 303, 307 and 308 are", r.Status)
	case !slices.Contains(redirectSchemes, r.Scheme):
		return Wrong("scheme", "scheme: %q is neither http nor https", r.Scheme)
	case r.Port < 0 || r.Port > maxPort:
		return Wrong("port", "port: %d is not a port", r.Port)
	}
	return errorsIn(checkHost(r.Host), r.Path.check())
}

func checkHost(host string) error {
	if host != "" && !hostname.MatchString(host) {
		return Wrong("hostname", "hostname: %q is not a host name", host)
	}
	return nil
}

func (p *path) check() error {
	if p == nil {
		return nil
	}
	return errorsIn(
		checkPath("path.replaceFullPath", "path.replaceFullPath", p.Full),
		checkPath("path.replacePrefixMatch", "path.replacePrefixMatch", p.Replacement),
		checkPath("path", "path, of the match", p.Prefix),
	)
}

func checkPath(at field.Path, name string, text *string) error {
	if text != nil && !singleLine(*text) {
		return Wrong(at, "%s: %q %s", name, *text, noControl)
	}
	return nil
}

func (c *cors) check() error {
	if c.MaxAge < 0 {
		return Wrong("cors.maxAge", "cors.maxAge: %d is not a number of seconds", c.MaxAge)
	}
	return errorsIn(
		checkNames("cors.allowMethods", c.Methods),
		checkNames("cors.allowHeaders", c.Headers),
		checkNames("cors.exposeHeaders", c.Expose),
	)
}

func checkNames(at field.Path, names string) error {
	if names != "" && !headerNames.MatchString(names) {
		return Wrong(at, "%s: %q are not names separated by commas", at, names)
	}
	return nil
}

// Token is what names of headers and cookies consist of.
var Token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
