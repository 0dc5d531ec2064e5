package anything

import (
	"encoding/binary"
	"strings"
)

// draw makes choices from bytes. When no bytes are left, it makes the first choice.
type draw struct{ left []byte }

// below returns a number from 0 to n-1.
func (d *draw) below(n int) int {
	size := 1
	if n > 256 {
		size = 4
	}
	if n <= 1 || len(d.left) < size {
		return 0
	}
	var word [4]byte
	copy(word[:], d.left[:size])
	d.left = d.left[size:]
	return int(binary.LittleEndian.Uint32(word[:]) % uint32(n))
}

// chance returns true once in n times.
func (d *draw) chance(n int) bool { return d.below(n) == n-1 }

// raw returns a short string without a meaning.
func (d *draw) raw() string {
	n := min(d.below(12), len(d.left))
	text := string(d.left[:n])
	d.left = d.left[n:]
	return text
}

func pick[T any](d *draw, choices ...T) T { return choices[d.below(len(choices))] }

// number returns a number, mostly a small one or a limit.
func (d *draw) number() int64 {
	return pick[int64](d, 1, 80, 0, 2, 443, 8080, 200, 500, -1, 10, 100, 255, 256, 32767, 65535, 65536, 100000, 1<<31-1, 1<<31, 1<<62)
}

// words are strings that have a meaning in some field.
var words = strings.Fields(`o0 o1 o2 o3 default other kong http https grpc grpcs tcp tls udp tls_passthrough ws
	a.example *.example b.a.example *.a.example A.Example a_b localhost 10.0.0.1 fd00::1 127.0.0.1 0.0.0.0/0
	/ /a /a/b /a/ //a //a//b /%41 /~/a /~/(a|b) /~/[ ^/a/(\d+)$ [a (? $1 /$1/x /$(x) \$ ~*^a.*$ ~*[ * . .* a,b ,,
	true false True yes no 0 1 -1 80 8080 65536 1e3 99999999999999999999 1s 500ms 0s -1s 1h GET get POST P0ST
	o0,o1 other:o0 default:o1,o2 :: key-auth basic-auth hmac-auth jwt acl oauth2 mtls-auth round-robin
	consistent-hashing least-connections latency sticky-sessions none ip header cookie path query_arg uri_capture
	consumer X-Session x-a content-type Host env routes services plugins key_sets keys filter_chains consumers
	{vault://env/x} {} [] null "x" {"a":1} 301 302 308 426 303 HS256 RS256 ES256 http-80 implicitPort v0 v1 Exact
	Prefix PathPrefix RegularExpression ImplementationSpecific Same All Selector Terminate Passthrough Cookie Header
	k8s-name:o0 ä ü/ö ☃ a/b x:y`)

// text returns a word, several words, or a random string.
func (d *draw) text() string {
	switch d.below(8) {
	case 5:
		return pick(d, words...) + pick(d, ",", ", ", ":", "/", " ", "\n", "|", ";") + pick(d, words...)
	case 6:
		return d.raw()
	case 7:
		return ""
	}
	return pick(d, words...)
}
