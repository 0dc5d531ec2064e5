package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// FieldErrorf returns an error about a field of a filter or rule.
func FieldErrorf(path field.Path, format string, args ...any) error {
	return unit.WithFault(fmt.Errorf(format, args...), unit.At(path))
}

// The checks below accept what the schemas of the plugins kube-sync-http and kube-sync-cors accept;
// a test compares them. They matter for manifests from files and for values that Gateway API's
// definitions do not validate.

// headerNames matches a comma-separated list of header names, or "*".
var headerNames = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z, -]+$")

// hostname matches the host of a rewrite or redirect.
var hostname = regexp.MustCompile(`^[0-9A-Za-z._-]+$`)

var (
	redirectStatuses = []int{301, 302, 303, 307, 308}
	redirectSchemes  = []string{"", "http", "https"}
)

const maxPort = 65535

// singleLine reports whether a value has no control characters, which could end a header.
func singleLine(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
}

const noControl = "has a control character, such as a line break, which headers and paths must not contain"

// check returns an error for what the plugins cannot do.
func (a actions) check() error {
	return firstError(
		inField("requestHeaderModifier", a.Request.check()),
		inField("responseHeaderModifier", a.Response.check()),
		inField("urlRewrite", a.Rewrite.check()),
		inField("requestRedirect", a.Redirect.check()),
	)
}

func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// inField prefixes an error, and the field that it is about, with the path.
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
	if err := firstError(checkHeaders("set", h.Set), checkHeaders("add", h.Add)); err != nil {
		return err
	}
	for _, name := range h.Remove {
		if !Token.MatchString(name) {
			return FieldErrorf("remove", "remove: %q is not a valid header name", name)
		}
	}
	return nil
}

func checkHeaders(at field.Path, all []header) error {
	for _, h := range all {
		if !Token.MatchString(h.Name) {
			return FieldErrorf(at, "%s: %q is not a valid header name", at, h.Name)
		}
		if !singleLine(h.Value) {
			return FieldErrorf(at, "%s: the value of header %s %s", at, h.Name, noControl)
		}
	}
	return nil
}

func (r *rewrite) check() error {
	if r == nil {
		return nil
	}
	return firstError(checkHost(r.Host), r.Path.check())
}

func (r *redirect) check() error {
	switch {
	case r == nil:
		return nil
	case !slices.Contains(redirectStatuses, r.Status):
		return FieldErrorf("statusCode", "statusCode: %d is not supported; use 301, 302, 303, 307 or 308", r.Status)
	case !slices.Contains(redirectSchemes, r.Scheme):
		return FieldErrorf("scheme", "scheme: %q is neither http nor https", r.Scheme)
	case r.Port < 0 || r.Port > maxPort:
		return FieldErrorf("port", "port: %d is not a port: it must be between 1 and %d", r.Port, maxPort)
	}
	return firstError(checkHost(r.Host), r.Path.check())
}

func checkHost(host string) error {
	if host != "" && !hostname.MatchString(host) {
		return FieldErrorf("hostname", "hostname: %q is not a valid host name", host)
	}
	return nil
}

func (p *path) check() error {
	if p == nil {
		return nil
	}
	return firstError(
		checkPath("path.replaceFullPath", "path.replaceFullPath", p.Full),
		checkPath("path.replacePrefixMatch", "path.replacePrefixMatch", p.Replacement),
		checkPath("path", "path of the match", p.Prefix),
	)
}

func checkPath(at field.Path, name string, value *string) error {
	if value != nil && !singleLine(*value) {
		return FieldErrorf(at, "%s: %q %s", name, *value, noControl)
	}
	return nil
}

func (c *cors) check() error {
	if c.MaxAge < 0 {
		return FieldErrorf("cors.maxAge", "cors.maxAge: %d is not a number of seconds; it must not be negative", c.MaxAge)
	}
	return firstError(
		checkNames("cors.allowMethods", c.Methods),
		checkNames("cors.allowHeaders", c.Headers),
		checkNames("cors.exposeHeaders", c.Expose),
	)
}

func checkNames(at field.Path, names string) error {
	if names != "" && !headerNames.MatchString(names) {
		return FieldErrorf(at, "%s: %q is not a list of valid names", at, names)
	}
	return nil
}

// Token matches the name of a header or cookie.
var Token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
