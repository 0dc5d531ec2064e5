package companion

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// overHTTP2 starts a Kong like [examining], which also accepts HTTP/2 in plain text.
func overHTTP2(t *testing.T) (*kong, *recorder) {
	t.Helper()
	port := freeport.Port(t)
	k, backend := examining(t, fmt.Sprintf("KONG_PROXY_LISTEN=127.0.0.1:%d http2 reuseport", port))
	k.proxy = port
	return k, backend
}

// ask2 sends one request over HTTP/2, with its fields as pairs and the body in one frame. It returns the
// status, or 0 if the stream or the connection ends instead.
func (k *kong) ask2(body string, fields ...string) int {
	k.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.proxy))
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(answersWithin))
	if _, err := c.Write([]byte(http2.ClientPreface)); err != nil {
		k.t.Fatal(err)
	}
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: body == ""})
	if body != "" {
		_ = framer.WriteData(1, true, []byte(body))
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return 0
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			status, _ := strconv.Atoi(frame.PseudoValue("status"))
			return status
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return 0
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		}
	}
}

// HTTP/2 has neither Connection nor Host, but a client can send both.
func TestHTTP2(t *testing.T) {
	k, backend := overHTTP2(t)
	get := []string{":method", "GET", ":scheme", "http", ":path", "/a?b=c", ":authority", "shop.test"}
	for name, c := range map[string]struct {
		body   string
		fields []string
		status int
		sent   string // the body that the backend is sent; "-" for no request
	}{
		"plain":                           {"", get, 200, ""},
		"a body":                          {"hello", append([]string{":method", "POST"}, append(get[2:len(get):len(get)], "content-length", "5")...), 200, "hello"},
		"a body of unknown length":        {"hello", append([]string{":method", "POST"}, get[2:]...), 200, "hello"},
		"a body of GET, unknown length":   {"hello", get, 200, ""},
		"a body of GET":                   {"hello", append(get[:len(get):len(get)], "content-length", "5"), 200, "hello"},
		"a length that is not the body's": {"hello", append([]string{":method", "POST"}, append(get[2:len(get):len(get)], "content-length", "3")...), 0, "-"},
		"Connection names the length":     {"hello", append([]string{":method", "POST"}, append(get[2:len(get):len(get)], "content-length", "5", "connection", "content-length")...), 400, "-"},
		"a header of HTTP/1.1 about the body": {"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n", append([]string{":method", "POST"}, append(get[2:len(get):len(get)], "transfer-encoding", "chunked")...), 200,
			"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"},
		"Host beside the authority": {"", append(get[:len(get):len(get)], "host", "evil.test"), 400, "-"},
		"a path that is none":       {"", []string{":method", "GET", ":scheme", "http", ":path", "a", ":authority", "shop.test"}, 0, "-"},
		"a line break in a value":   {"", append(get[:len(get):len(get)], "x-a", "b\r\nx-trust: forged"), 400, "-"},
		"a method with a space":     {"", append([]string{":method", "GET /smuggled HTTP/1.1"}, get[2:]...), 400, "-"},
	} {
		status := k.ask2(c.body, c.fields...)
		seen := backend.take()
		if status != c.status && (c.status == 200 || status != 0 && status < 400) {
			t.Errorf("%s: %d", name, status)
		}
		switch {
		case c.sent == "-" && len(seen) != 0:
			t.Errorf("%s: answered %d, and the backend is sent %q and %q", name, status, seen[0].head, seen[0].body)
		case c.sent != "-" && (len(seen) != 1 || seen[0].body != c.sent || seen[0].Header.Get("X-Route") != "shop" || seen[0].RequestURI != "/a?b=c"):
			t.Errorf("%s: answered %d, and the backend is sent %+v", name, status, seen)
		}
	}
}
