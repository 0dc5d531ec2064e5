package output

import (
	"bytes"
	"flag"
	"io"
	"testing"
)

type result struct {
	Object string `json:"object"`
	Lines  []int  `json:"lines"`
}

func printed(t *testing.T, format Format, color bool) string {
	t.Helper()
	var out bytes.Buffer
	p := New(&out)
	if p.Color {
		t.Error("a buffer has colors")
	}
	p.Format, p.Color = format, color
	err := p.Print(result{"Ingress shop/web", []int{1, 2}}, func(page *Page) {
		page.Heading("Objects")
		page.Table([]string{"OBJECT", "STATE"}, []any{"Ingress shop/wéb", Styled(Green, "OK")}, []any{"a", Styled(Red, "bad\n\x1b[2J")})
		page.Heading("More")
		page.Line("found", Styled(Bold, "3"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	for _, test := range []struct {
		format Format
		color  bool
		want   string
	}{
		{Table, false, "Objects\nOBJECT            STATE\nIngress shop/wéb  OK\na                 bad\\n\\x1b[2J\n\nMore\nfound 3\n"},
		{Table, true, "\x1b[1mObjects\x1b[0m\n\x1b[2mOBJECT\x1b[0m            \x1b[2mSTATE\x1b[0m\nIngress shop/wéb  \x1b[32mOK\x1b[0m\na                 \x1b[31mbad\\n\\x1b[2J\x1b[0m\n\n\x1b[1mMore\x1b[0m\nfound \x1b[1m3\x1b[0m\n"},
		{JSON, true, "{\n  \"object\": \"Ingress shop/web\",\n  \"lines\": [\n    1,\n    2\n  ]\n}\n"},
		{YAML, true, "lines:\n- 1\n- 2\nobject: Ingress shop/web\n"},
	} {
		if got := printed(t, test.format, test.color); got != test.want {
			t.Errorf("%s, color %t: got\n%q\nwant\n%q", test.format, test.color, got, test.want)
		}
	}
}

func TestFlag(t *testing.T) {
	for value, valid := range map[string]bool{"table": true, "json": true, "yaml": true, "xml": false, "": false} {
		p := New(io.Discard)
		f := flag.NewFlagSet("test", flag.ContinueOnError)
		f.SetOutput(io.Discard)
		p.Flag(f)
		err := f.Parse([]string{"-o", value})
		if (err == nil) != valid || valid && p.Format != Format(value) {
			t.Errorf("-o %q: format %q, error %v", value, p.Format, err)
		}
	}
}
