package companion

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const publicKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA33P1S/NUiO4INVJnQbJ9
mS8m8F2tcL9QP5pSRvZ3bArDE2CsdieJmlrDKOntnHHnV1c2UNFu3/x3y8h88V5b
NTt2XC/BYtkC8IWiVt4XS1Tk1mmmYe2e2HplYtirCQcZVu4OKE4oPOztAX+7ANRI
44+N2LlV93/gLUivXGy8u/tIXXzIbsibS4d5HBk5f+GVr1BTbE9MnvT7ysd/Th/U
lxPf2EGGBgy/A2XDfFZUGjZhBe3bi+2F6fPdSh5e5+9ut+ddAUn+13g0uVhuEAHZ
kfliy71MUvuolbkdvIM8CTrg8W9NGEyhNUY/R+fAXgOOzAurRtKJBC+gvcZ4WB0g
XQIDAQAB
-----END PUBLIC KEY-----
`

// alike returns entities several of which have the same index key that Kong does not check: the digest
// of a certificate, and pairs of fields.
func alike(t *testing.T) map[string]entity {
	pairs := keyPairs(t, 2)
	all := map[string]entity{}
	for i := range 3 {
		all[fmt.Sprint("ca_certificates ", i)] = entity{"cert": pairs[i/2].cert}
		all[fmt.Sprint("keys ", i)] = entity{"name": fmt.Sprint("key", i), "kid": "same", "pem": entity{"public_key": publicKey}}
		all[fmt.Sprint("acls ", i)] = entity{"consumer": id("ann"), "group": "staff"}
		all[fmt.Sprint("plugins ", i)] = entity{"name": "cors", "instance_name": fmt.Sprint("cors", i)}
		all[fmt.Sprint("targets ", i)] = entity{"upstream": id("u"), "target": "127.0.0.1:1"}
	}
	return all
}

// TestEntitiesAlike adds, changes and deletes entities that share an index key, in random
// order. A delta accepts what a full load accepts, and Kong stores the same.
func TestEntitiesAlike(t *testing.T) {
	k := start(t)
	all := alike(t)
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	there := map[string]int{} // the version of each that is there
	whole := func() config {
		c := empty()
		c.put("consumers", entity{"id": id("ann"), "username": "ann"})
		c.put("upstreams", entity{"id": id("u"), "name": "u.test"})
		for name, version := range there {
			kind, _, _ := strings.Cut(name, " ")
			e := entity{"id": id(name), "tags": []string{fmt.Sprint("v", version)}}
			for field, value := range all[name] {
				e[field] = value
			}
			c.put(kind, e)
		}
		return c
	}
	now := whole()
	k.load(now)
	random := rand.New(rand.NewPCG(1, 2))
	for step := range 150 {
		for range 1 + random.IntN(3) {
			name := names[random.IntN(len(names))]
			switch {
			case there[name] > 0 && random.IntN(3) > 0:
				delete(there, name)
			default:
				there[name]++
			}
		}
		next := whole()
		k.apply(difference(now, next))
		if now = next; step%15 == 14 {
			deltas := k.stored()
			k.load(now)
			sameStored(t, deltas, k.stored())
		}
	}
	clear(there)
	k.apply(difference(now, whole()))
}

// TestARivalIsNamed has entities with a value of another one. The error has the id of the other entity,
// whether that is stored or in the same delta.
func TestARivalIsNamed(t *testing.T) {
	k := start(t)
	now := empty()
	now.put("consumers", entity{"id": id("ann"), "username": "ann", "custom_id": "one"})
	k.load(now)
	next := now.clone()
	next.put("consumers", entity{"id": id("bob"), "username": "bob", "custom_id": "one"})
	d := difference(now, next)
	if code, answer := k.send(d, ""); code != http.StatusBadRequest || len(answer.Flattened) != 1 ||
		answer.Flattened[0].ID != id("bob") || answer.Flattened[0].Rival != id("ann") {
		t.Errorf("answered %d %+v", code, answer)
	}
	next = now.clone()
	next.put("consumers", entity{"id": id("eve"), "username": "same"})
	next.put("consumers", entity{"id": id("mal"), "username": "same"})
	if code, answer := k.send(difference(now, next), ""); code != http.StatusBadRequest || len(answer.Flattened) != 1 ||
		!slices.Contains([]string{id("eve"), id("mal")}, answer.Flattened[0].Rival) || answer.Flattened[0].Rival == answer.Flattened[0].ID {
		t.Errorf("answered %d %+v", code, answer)
	}
}

// TestAKindThatKongDoesNotHave sends an entity of an unknown kind, and two with one id. The errors name
// them.
func TestAKindThatKongDoesNotHave(t *testing.T) {
	k := start(t)
	now := empty()
	k.load(now)
	d := delta{Base: now.hash(), Hash: digest(nil), Upserts: map[string][]entity{
		"degraphql_routes": {{"id": id("g"), "uri": "/"}},
		"services":         {{"id": id("s"), "host": "a.test"}, {"id": id("s"), "host": "b.test"}},
	}}
	code, answer := k.send(d, "")
	if code != http.StatusBadRequest || len(answer.Flattened) != 2 {
		t.Fatalf("answered %d %+v", code, answer)
	}
	said := byID(answer.Flattened)
	if !strings.Contains(said[id("g")], "Kong has no entities of type degraphql_routes") || !strings.Contains(said[id("s")], "with primary key set to '"+id("s")) {
		t.Errorf("%v", said)
	}
}

// failing are configurations over which the code of Kong's schemas fails.
var failing = map[string]entity{
	"rate-limiting":         {"minute": 5, "redis_host": 5},
	"response-ratelimiting": {"limits": entity{"sms": entity{"minute": 10}}, "redis_host": true},
}

// TestAFailureIsNamed sends plugins over which Kong's code fails, among others. The errors of a delta and
// of a check name exactly these.
func TestAFailureIsNamed(t *testing.T) {
	k := start(t)
	now := empty()
	now.put("upstreams", entity{"id": id("u"), "name": "u.test"})
	now.put("consumers", entity{"id": id("ann"), "username": "ann"})
	k.load(now)
	next := now.clone()
	next.put("services", entity{"id": id("s"), "name": "s", "host": "s.test"})
	// Entities that have to refer to others.
	next.put("targets", entity{"id": id("t"), "target": "127.0.0.1:1", "upstream": id("u")})
	next.put("keyauth_credentials", entity{"id": id("key"), "key": "k", "consumer": id("ann")})
	for i := range 20 {
		next.put("routes", entity{"id": id("r", i), "name": fmt.Sprint("r", i), "service": id("s"), "protocols": []string{"http"}, "expression": `http.path == "/"`})
	}
	bad := entity{"id": id("bad"), "name": "rate-limiting", "route": id("r", 3), "config": failing["rate-limiting"], "tags": []string{"of:me"}}
	next.put("plugins", bad)
	next.put("plugins", entity{"id": id("good"), "name": "rate-limiting", "route": id("r", 4), "config": entity{"minute": 5, "policy": "local"}})
	for _, query := range []string{"", "?check=1"} {
		code, answer := k.send(difference(now, next), query)
		if code != http.StatusBadRequest || len(answer.Flattened) != 1 || answer.Flattened[0].ID != id("bad") ||
			!strings.Contains(answer.Flattened[0].Errors[0].Message, "Kong fails to process it: ") || strings.Contains(answer.Flattened[0].Errors[0].Message, "/") {
			t.Errorf("%s: answered %d %+v", query, code, answer)
		}
	}
	if status := k.status(); status.Hash != now.hash() {
		t.Errorf("%+v", status)
	}
	delete(next["plugins"], id("bad"))
	if code, answer := k.send(difference(now, next), "?check=1"); code != http.StatusOK {
		t.Errorf("answered %d %+v", code, answer)
	}
	k.apply(difference(now, next))
	for name, config := range failing {
		with := next.clone()
		with.put("plugins", entity{"id": id(name), "name": name, "route": id("r", 5), "config": config})
		encoded, _ := json.Marshal(config)
		if code, _ := k.post(with.body()); code != http.StatusInternalServerError {
			t.Errorf("a full load of %s %s: answered %d", name, encoded, code)
		}
		code, answer := k.send(difference(next, with), "")
		if code != http.StatusBadRequest || len(answer.Flattened) != 1 || answer.Flattened[0].ID != id(name) {
			t.Errorf("%s %s: answered %d %+v", name, encoded, code, answer)
		}
	}
}
