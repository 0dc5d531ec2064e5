package unit

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/limit"
)

type number int

func (n number) String() string { return fmt.Sprint(int(n)) }

// TestValueOfAPanic holds that a unit whose translation panics has its role's OnPanic value, that
// its object gets a verdict, and that its users are still translated.
func TestValueOfAPanic(t *testing.T) {
	const (
		users  Role[None]             = "user"
		silent Role[string]           = "silent"
		shared RoleBy[number, string] = "shared"
	)
	g := NewGraph(limit.Limits{})
	read := map[string]string{}
	Each(g, users, ConfigMap, Valueless(func(r *Reader, key Key, _ *corev1.ConfigMap) Fragment {
		read["shared"] = Use(r, shared.Of(key.Namespace, "s", 7))
		read["silent"] = Use(r, silent.Of(key.Namespace, "s"))
		return Fragment{}
	}))
	SharedBy(g, shared, Secret, func(r *Reader, key Key, _ number) (Fragment, string) {
		if r.Get(key) == nil {
			panic("there is no Secret")
		}
		return Fragment{}, "whole"
	}).OnPanic(func(key Key, n number) string { return fmt.Sprint(key, " ", n, " broke") })
	Shared(g, silent, Secret, func(*Reader, Key) (Fragment, string) { panic("always") })

	object := func(o Object) Object {
		o.SetNamespace("default")
		return o
	}
	g.Update(Change{Key: ConfigMap.Key("default", "c"), Object: object(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c"}})})
	if read["shared"] != "Secret default/s 7 broke" || read["silent"] != "" {
		t.Errorf("read %q", read)
	}
	failed := func(v Verdict) bool { return v.Reason == "TranslationFailed" }
	if all := g.Verdicts(Secret.Key("default", "s")); len(all) != 2 || !slices.ContainsFunc(all, failed) {
		t.Errorf("verdicts %v", all)
	}
	g.Update(Change{Key: Secret.Key("default", "s"), Object: object(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}})})
	if read["shared"] != "whole" {
		t.Errorf("read %q from a unit that was fixed", read["shared"])
	}
}

func TestIDs(t *testing.T) {
	const (
		one Role[None]           = "role"
		by  RoleBy[number, None] = "role"
	)
	a, b, c := one.Of("ns", "a").ID, by.Of("ns", "a", 10).ID, by.Of("ns", "a", 9).ID
	if got := fmt.Sprint(a, ", ", b); got != "role ns/a, role ns/a:10" {
		t.Errorf("written %q", got)
	}
	if a.Compare(b) >= 0 || b.Compare(c) >= 0 || b.Compare(by.Of("ns", "a", 10).ID) != 0 {
		t.Error("out of order")
	}
}
