package expression

import (
	"math"
	"net/netip"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	deep := host
	for range maxDepth {
		deep = And(get, Or(path, Not(deep)))
	}
	tests := []struct {
		name string
		expr Expr
		want string // part of the error, or nothing
	}{
		{"good", And(host, path, In(NetSrcIP, netip.MustParsePrefix("10.0.0.0/8"))), ""},
		{"nil", nil, "no expression"},
		{"zero field", Equal(Field{}, "a"), "unknown field"},
		{"zero number field", And(host, EqualInt(IntField{}, 1)), "unknown field"},
		{"zero address field", Not(EqualIP(IPField{}, netip.MustParseAddr("::1"))), "unknown field"},
		{"zero address", EqualIP(NetSrcIP, netip.Addr{}), "no IP address"},
		{"zero block", In(NetSrcIP, netip.Prefix{}), "no IP address"},
		{"smallest integer", EqualInt(NetSrcPort, math.MinInt64), "reads none below"},
		{"NUL", Or(path, Equal(HTTPHost, "a\x00b")), "NUL"},
		{"not UTF-8", Equal(HTTPHost, "a\xff"), "UTF-8"},
		{"old port", Equal(HTTPPath, "/?net.port=1"), "net.dst.port"},
		{"old port and space", Equal(HTTPPath, "net.port net.port >"), "net.dst.port"},
		{"old port and nothing", Equal(HTTPPath, "net.port"), ""},
		{"old port and a line break", Equal(HTTPPath, "net.port\n="), ""},
		{"deep", deep, "nested deeper"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Validate(test.expr)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want …%s…", err, test.want)
			}
			if _, compileErr := Compile(test.expr); (compileErr == nil) != (err == nil) {
				t.Errorf("Compile: %v, Validate: %v", compileErr, err)
			}
		})
	}
}

func TestValidateStream(t *testing.T) {
	good := And(Equal(TLSSNI, "a"), Equal(NetProtocol, "tls"), EqualInt(NetDstPort, 1), EqualInt(NetSrcPort, 1),
		EqualIP(NetSrcIP, netip.MustParseAddr("::1")), EqualIP(NetDstIP, netip.MustParseAddr("::1")))
	if err := ValidateStream(good); err != nil {
		t.Error(err)
	}
	for _, e := range []Expr{host, get, path, EqualInt(HTTPPathSegmentsLen, 1), Equal(must(Header("a")), ""), And(good, host)} {
		if err := ValidateStream(e); err == nil {
			t.Errorf("%s is valid for streams", e)
		}
	}
}
