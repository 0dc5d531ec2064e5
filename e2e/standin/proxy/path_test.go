package proxy

import "testing"

func TestNormalize(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/a": "/a", "/a/": "/a/", "//a//b": "/a/b", "/a/./b": "/a/b", "/a/../b": "/b", "/..": "/",
		"/a/..": "/", "/a/b/..": "/a/", "/a/.": "/a/", "/%61": "/a", "/%2e%2e/a": "/a", "/a%2fb": "/a%2Fb", "/%zz": "/%zz",
		"/a//": "/a/", "/%C3%A9": "/é", "/a%": "/a%",
	} {
		if got := normalize(path); got != want {
			t.Errorf("normalize(%q) = %q, expected %q", path, got, want)
		}
	}
}

func TestUpstreamPath(t *testing.T) {
	tests := []struct{ base, path, strip, want string }{
		{"/", "/a/b", "", "/a/b"},
		{"", "/a/b", "", "/a/b"},
		{"/v1", "/a", "", "/v1/a"},
		{"/v1/", "/a", "", "/v1/a"},
		{"/v1", "/", "", "/v1"},
		{"/", "/a/b", "/a", "/b"},
		{"/", "/a", "/a", "/"},
		{"/", "/a/", "/a/", "/"},
		{"/", "/ab", "/a", "/b"},
		{"/v1", "/a", "/a", "/v1"},
		{"/v1", "/a/", "/a/", "/v1/"},
		{"/v1/", "/a", "/a", "/v1"},
		{"/v1/", "/a/", "/a/", "/v1/"},
		{"/v1", "/a/b", "/a/", "/v1/b"},
	}
	for _, tt := range tests {
		if got := upstreamPath(tt.base, tt.path, tt.strip); got != tt.want {
			t.Errorf("base %q, path %q without %q: got %q, expected %q", tt.base, tt.path, tt.strip, got, tt.want)
		}
	}
}
