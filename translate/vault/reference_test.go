package vault

import "testing"

func TestReference(t *testing.T) {
	for text, want := range map[string]bool{
		"{vault://mine/secret}":           true,
		"{vault://mine/secret/key}":       true,
		"{vault://mine/a-b_c.d/key#2}":    true,
		"{vault://mine/a%20b}":            true,
		"{vault://mine/secret?prefix=X_}": false,
		"{vault://mine/secret?}":          false,
		"{vault://a@mine/secret}":         false,
		"{vault://a:b@env/secret}":        false,
		"{vault://mine:80/secret}":        false,
		"{vault://MINE/secret}":           false,
		"{vault://mine}":                  false,
		"{vault://}":                      false,
		"{vault:///secret}":               false,
		"{vault://mine/a\nb}":             false,
		"{vault://mine/secret#x}":         false,
		"{vault://mine/a}b{vault://env/}": false,
	} {
		if !IsReference(text) {
			t.Errorf("%q is not a reference, but Kong treats it as one", text)
		}
		if got := reference.MatchString(text); got != want {
			t.Errorf("%q is permitted to tenants: %t", text, got)
		}
	}
	for _, text := range []string{"", "vault://mine/a", " {vault://mine/a}", "{vault://mine/a} ", "a {vault://mine/a}", "{VAULT://mine/a}"} {
		if IsReference(text) {
			t.Errorf("%q is a reference", text)
		}
	}
}

func TestNamespaceList(t *testing.T) {
	list := NamespaceList{"shop", "team-*"}
	for namespace, want := range map[string]bool{"shop": true, "team-a": true, "team-": true, "team": false, "shop2": false, "my-shop": false} {
		if got := list.Has(namespace); got != want {
			t.Errorf("%s: %t", namespace, got)
		}
	}
	if !(NamespaceList{"*"}).Has("any") || (NamespaceList{}).Has("any") || (NamespaceList{}).Has("") {
		t.Error("an asterisk must match all namespaces, and an empty list none")
	}
}
