package companion

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// TestRefusedDeltasChangeNothing sends deltas that have to be rejected, each with a valid and an invalid
// change. The errors name the invalid one.
func TestRefusedDeltasChangeNothing(t *testing.T) {
	k := start(t)
	w := newWorld(t, k, startBackends(t, 5))
	w.apps["shop"] = app{weights: map[int]int{0: 10}, algorithm: "round-robin"}
	w.people["ann"] = person{key: "ann's", password: "secret", group: "staff"}
	w.certs["one.test"] = 0
	now := w.config()
	k.load(now)
	before := k.stored()

	good := entity{"id": id("good"), "name": "good", "host": "good.test"}
	up := func(kind string, entities ...entity) delta {
		d := delta{Upserts: map[string][]entity{kind: entities}}
		d.Upserts["services"] = append(d.Upserts["services"], good)
		return d
	}
	gone := func(kind, id string) delta {
		d := up("services")
		d.Deletes = []deletion{{kind, id}}
		return d
	}
	tags := []string{"k8s-name:x"}
	for name, c := range map[string]struct {
		delta          delta
		kind, id       string
		field, message string
	}{
		"a value that the schema does not take": {
			up("services", entity{"id": id("x"), "name": "x", "host": "x.test", "port": 99999, "tags": tags}),
			"service", id("x"), "port", "between 0 and 65535"},
		"an expression that does not parse": {
			up("routes", entity{"id": id("x"), "name": "x", "expression": "http.host ==", "service": id("s", "shop"), "tags": tags}),
			"route", id("x"), "", "Router Expression failed validation"},
		"a plugin's configuration": {
			up("plugins", entity{"id": id("x"), "name": "rate-limiting", "config": entity{"minute": "many"}, "tags": tags}),
			"plugin", id("x"), "config.minute", "expected a number"},
		"a plugin that is not there": {
			up("plugins", entity{"id": id("x"), "name": "no-such", "tags": tags}),
			"plugin", id("x"), "name", "not enabled"},
		"a certificate that is none": {
			up("certificates", entity{"id": id("x"), "cert": "none", "key": "none", "tags": tags}),
			"certificate", id("x"), "cert", "invalid certificate"},
		"an upstream that is not there": {
			up("targets", entity{"id": id("x"), "target": "127.0.0.1:1", "upstream": id("nowhere"), "tags": tags}),
			"target", id("x"), "", "invalid reference 'upstream: " + id("nowhere") + "' (no such entry in 'upstreams')"},
		"a name that another one has": {
			up("services", entity{"id": id("x"), "name": "shop", "host": "x.test", "tags": tags}),
			"service", id("x"), "", "'services' entity with name set to 'shop' already declared"},
		"a key that another one has": {
			up("keyauth_credentials", entity{"id": id("x"), "key": "ann's", "consumer": id("consumer", "ann"), "tags": tags}),
			"keyauth_credential", id("x"), "", "key set to 'ann's' already declared"},
		"an SNI that another certificate has": {
			up("snis", entity{"id": id("x"), "name": "one.test", "certificate": id("cert", "one.test"), "tags": tags}),
			"sni", id("x"), "", "name set to 'one.test' already declared"},
		"a name twice": {
			up("consumers", entity{"id": id("x"), "username": "eve"}, entity{"id": id("y"), "username": "eve"}),
			"consumer", "", "", "username set to 'eve' already declared"},
		"a service that a route refers to": {
			gone("services", id("s", "shop")),
			"service", id("s", "shop"), "", "service of " + id("r", "shop") + " in 'routes' refers to it"},
		"an upstream that targets refer to": {
			gone("upstreams", id("up", "shop")),
			"upstream", id("up", "shop"), "", "in 'targets' refers to it"},
		"a service that goes while a route comes for it": {
			func() delta {
				d := gone("services", id("s", "shop"))
				d.Deletes = append(d.Deletes, deletion{"routes", id("r", "shop")})
				d.Upserts["routes"] = []entity{{"id": id("x"), "name": "x", "expression": `http.path == "/"`, "service": id("s", "shop"), "tags": tags}}
				return d
			}(), "route", id("x"), "", "no such entry in 'services'"},
	} {
		t.Run(name, func(t *testing.T) {
			c.delta.Base, c.delta.Hash = now.hash(), digest([]byte(name))
			code, answer := k.send(c.delta, "")
			if code != http.StatusBadRequest || !tells(answer.Flattened, c.kind, c.id, c.field, c.message, tags) {
				t.Errorf("answered %d %+v", code, answer)
			}
			if status := k.status(); status.Hash != now.hash() {
				t.Errorf("the hash is %s, not %s", status.Hash, now.hash())
			}
		})
	}
	sameStored(t, k.stored(), before)

	for name, body := range map[string]string{
		"no JSON":                   `{`,
		"no hash":                   `{"base": "` + now.hash() + `"}`,
		"an unknown kind":           fmt.Sprintf(`{"base": %q, "hash": %q, "upserts": {"gadgets": [{"id": "x"}]}}`, now.hash(), now.hash()),
		"no id":                     fmt.Sprintf(`{"base": %q, "hash": %q, "upserts": {"services": [{"name": "x"}]}}`, now.hash(), now.hash()),
		"an entity twice":           fmt.Sprintf(`{"base": %q, "hash": %q, "upserts": {"services": [{"id": %[3]q}, {"id": %[3]q}]}}`, now.hash(), now.hash(), id("x")),
		"an upsert that is deleted": fmt.Sprintf(`{"base": %q, "hash": %q, "upserts": {"services": [{"id": %[3]q}]}, "deletes": [{"type": "services", "id": %[3]q}]}`, now.hash(), now.hash(), id("x")),
		"a deletion of no kind":     fmt.Sprintf(`{"base": %q, "hash": %q, "deletes": ["x"]}`, now.hash(), now.hash()),
	} {
		code, answer, _ := ask[answer](k, http.MethodPost, "/kube-sync/delta", "application/json", []byte(body))
		if code != http.StatusBadRequest || answer.Message == "" {
			t.Errorf("%s: answered %d %+v", name, code, answer)
		}
	}

	other := up("services")
	other.Base, other.Hash = digest([]byte("another configuration")), digest(nil)
	if code, answer := k.send(other, ""); code != http.StatusConflict || answer.Hash != now.hash() {
		t.Errorf("on another base: answered %d %+v", code, answer)
	}
	sameStored(t, k.stored(), before)
	for _, want := range w.wants("shop") {
		k.answers(want)
	}
}

func tells(rows []refusal, kind, id, field, message string, tags []string) bool {
	for _, row := range rows {
		if row.Type != kind || id != "" && row.ID != id {
			continue
		}
		for _, e := range row.Errors {
			if e.Field == field && strings.Contains(e.Message, message) {
				return row.Tags == nil || row.Tags[0] != tags[0] || reflect.DeepEqual(row.Tags, tags)
			}
		}
	}
	return false
}

// TestRefusalsAreKongs compares the companion's errors of an invalid entity with those of POST /config.
func TestRefusalsAreKongs(t *testing.T) {
	k := start(t)
	now := empty()
	k.load(now)
	next := now.clone()
	next.put("services", entity{"id": id("x"), "name": "x", "host": "x.test", "port": 99999, "retries": "many", "tags": []string{"one", "two"}})
	next.put("routes", entity{"id": id("y"), "name": "y", "service": id("x"), "protocols": []string{"http"}, "strip_path": "yes"})

	_, full, _ := ask[answer](k, http.MethodPost, "/config?flatten_errors=1", "application/json", next.body())
	code, delta := k.send(difference(now, next), "")
	if code != http.StatusBadRequest || len(full.Flattened) != 2 || !reflect.DeepEqual(byID(full.Flattened), byID(delta.Flattened)) {
		t.Errorf("POST /config says\n%+v\nand the companion %d\n%+v", full.Flattened, code, delta.Flattened)
	}
}

func byID(rows []refusal) map[string]string {
	found := map[string]string{}
	for _, row := range rows {
		errors := map[string]string{}
		for _, e := range row.Errors {
			errors[e.Type+e.Field] = e.Message
		}
		found[row.ID] = fmt.Sprint(row.Type, row.Name, row.Tags, errors)
	}
	return found
}

// TestFullMap fills the map in which Kong keeps its configuration.
func TestFullMap(t *testing.T) {
	fill(t, start(t, "KONG_LMDB_MAP_SIZE=1m"), "lmdb_map_size")
}

// TestFullDisk fills the disk instead. Small changes are still accepted.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no disk of a size can be had here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	t.Setenv("TMPDIR", dir)
	k := start(t)
	now := fill(t, k, "the disk of Kong's LMDB database")
	next := now.clone()
	next.put("consumers", entity{"id": id("small"), "username": "small"})
	k.apply(difference(now, next))
}

// fill sends deltas until one does not fit, which changes nothing. It returns the configuration.
func fill(t *testing.T, k *kong, says string) config {
	t.Helper()
	now := empty()
	k.load(now)
	for i := range 200 {
		next := now.clone()
		for j := range 100 {
			next.put("consumers", entity{"id": id(i, j), "username": fmt.Sprint(i, "-", j), "tags": []string{strings.Repeat("x", 2000)}})
		}
		code, answer := k.send(difference(now, next), "?wait=10000")
		if code == http.StatusOK {
			now = next
			continue
		}
		if code != http.StatusRequestEntityTooLarge || !strings.Contains(answer.Message, says) {
			t.Fatalf("answered %d %+v", code, answer)
		}
		if status := k.status(); status.Hash != now.hash() || !status.Ready {
			t.Fatalf("after that: %+v", status)
		}
		return now
	}
	t.Fatal("20 000 consumers fit")
	return nil
}

// TestAnotherKong runs a Kong of another version. The companion is inactive, and full loads work.
func TestAnotherKong(t *testing.T) {
	overlay := t.TempDir()
	module := filepath.Join(overlay, "kong", "meta.lua")
	if err := os.MkdirAll(filepath.Dir(module), 0o755); err != nil {
		t.Fatal(err)
	}
	const meta = `
local meta = dofile(package.searchpath("kong.meta", (package.path:gsub("^[^;]*;", ""))))
if ngx and ngx.get_phase then meta._VERSION = "3.10.0" end
return meta
`
	if err := os.WriteFile(module, []byte(meta), 0o644); err != nil {
		t.Fatal(err)
	}
	lua, err := filepath.Abs("../../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	k := start(t, "KONG_LUA_PACKAGE_PATH="+overlay+"/?.lua;"+lua+"/?.lua;;")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		code, answer, _ := ask[answer](k, method, "/kube-sync/delta", "application/json", []byte("{}"))
		if code != http.StatusNotImplemented || !strings.Contains(answer.Message, "3.10.0") {
			t.Errorf("%s: answered %d %+v", method, code, answer)
		}
	}
	if code, message := k.post(empty().body()); code != http.StatusCreated {
		t.Errorf("a full load: %d %s", code, message)
	}
	if n := strings.Count(k.Complaints(), "changes go through full loads only"); n != 1 {
		t.Errorf("it is logged %d times:\n%s", n, k.Complaints())
	}
}
