package proxy

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// reserved are the characters whose escapes are not decoded.
const reserved = "!*'();:@&=+$,/?%#[]"

// normalize returns the path for the router: escapes of all but reserved characters are
// decoded, dot segments removed, and slashes merged.
func normalize(path string) string {
	path = unescape(path)
	if !strings.Contains(path, ".") && !strings.Contains(path, "//") {
		return path
	}
	var segments []string
	rest := strings.Split(path, "/")
	for i, s := range rest[1:] {
		last := i == len(rest)-2
		switch {
		case s == ".." && len(segments) > 0:
			segments = segments[:len(segments)-1]
			fallthrough
		case s == "." || s == "..":
			if last {
				segments = append(segments, "")
			}
		case s == "" && !last: // a doubled slash
		default:
			segments = append(segments, s)
		}
	}
	return "/" + strings.Join(segments, "/")
}

func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				if strings.IndexByte(reserved, c[0]) >= 0 {
					b.WriteString(strings.ToUpper(s[i : i+3]))
				} else {
					b.WriteByte(c[0])
				}
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escape escapes a normalized path for a request line.
func escape(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if letter || strings.IndexByte("!#$&'()*+,/:;=?@[]-_.~%", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// upstreamPath joins the service's path with the request's path, from which it strips the
// part that matched, if any.
func upstreamPath(base, path, strip string) string {
	if base == "" {
		base = "/"
	}
	if strip == "" {
		return join(base, path)
	}
	postfix := ""
	if len(strip) < len(path) {
		postfix = path[len(strip):]
	}
	if postfix != "" {
		return join(base, postfix)
	}
	if trimmed := strings.TrimSuffix(base, "/"); trimmed != "" && trimmed != base && !strings.HasSuffix(path, "/") {
		return trimmed
	}
	if !strings.HasSuffix(base, "/") && len(path) > 1 && strings.HasSuffix(path, "/") {
		return base + "/"
	}
	return base
}

func join(base, path string) string {
	if path == "/" && !strings.HasSuffix(base, "/") {
		return base
	}
	return strings.TrimSuffix(base, "/") + "/" + strings.TrimPrefix(path, "/")
}
