package companion

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Percent-encoded line breaks in a request stay encoded, wherever a path or a value of the request is copied
// in requests to backends and in responses.
func TestLineBreaksStayEncoded(t *testing.T) {
	k, backend := examining(t)
	c := config{}
	c.route("plain.test", backend.port)
	c.route("prefix.test", backend.port)
	c.plugin("prefix.test", "kube-sync-http", entity{"rewrite": entity{"path": entity{"prefix": "/from", "replacement": "/to"}}})
	c.route("captures.test", backend.port, "expression", `(lower(http.host) == "captures.test") && (http.path ~ r#"^/from(?<rest>.*)"#)`)
	c.plugin("captures.test", "request-transformer", entity{"replace": entity{"uri": "/to$(uri_captures['rest'])"}, "add": entity{"headers": []string{"X-Copied:$(query_params.q)"}}})
	c.route("class.test", backend.port, "expression", `(lower(http.host) == "class.test") && (http.path ~ r#"^/from/[^q]+"#)`, "strip_path", true)
	c.route("redirect.test", backend.port)
	c.plugin("redirect.test", "kube-sync-http", entity{"redirect": entity{"status": 302, "scheme": "https", "path": entity{"prefix": "/from", "replacement": "/to"}}})
	c.route("https.test", backend.port, "protocols", []string{"https"}, "https_redirect_status_code", 302)
	c.route("stripped.test", backend.port, "expression", `(lower(http.host) == "stripped.test") && (http.path ^= "/from")`, "strip_path", true)
	k.load(c)
	for _, broken := range []string{"%0d%0aX-Forged:%20yes", "%0aX-Forged:yes", "%0d%0a%0d%0aGET%20/forged%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0a", "%20HTTP/1.1%0d%0aX-Forged:yes", "%C4%8D%C4%8AX-Forged:yes"} {
		for _, host := range []string{"plain.test", "prefix.test", "captures.test", "class.test", "redirect.test", "https.test", "stripped.test"} {
			target := "/from/" + broken + "?q=" + broken
			answers := k.wire(lines("GET "+target+" HTTP/1.1", "Host: "+host, "Connection: close"))
			seen := backend.take()
			redirected := host == "redirect.test" || host == "https.test"
			if len(answers) != 1 || redirected != (len(seen) == 0) {
				t.Errorf("%s%s: answers %v, %d requests", host, target, statuses(answers), len(seen))
				continue
			}
			if answers[0].Header.Get("X-Forged") != "" {
				t.Errorf("%s%s: the answer has a header of the client's making: %v", host, target, answers[0].Header)
			}
			if redirected {
				location, err := url.Parse(answers[0].Header.Get("Location"))
				if err != nil || location.Scheme != "https" || location.Host != host || strings.ContainsAny(answers[0].Header.Get("Location"), "\r\n ") {
					t.Errorf("%s%s: Location %q, %v", host, target, answers[0].Header.Get("Location"), err)
				}
				continue
			}
			for _, q := range seen {
				if q.Header.Get("X-Forged") != "" || q.RequestURI == "/forged" || strings.Count(q.head, "\nHost:") != 1 {
					t.Errorf("%s%s: the backend is sent %q", host, target, q.head)
				}
			}
			if len(seen) != 1 {
				t.Errorf("%s%s: the backend is sent %d requests", host, target, len(seen))
			}
		}
	}
	if log := k.file("logs/error.log"); strings.Contains(log, "\nX-Forged") {
		t.Errorf("a client forges a line of Kong's log")
	}
}

// No value of an entity, rejected or accepted, or of a request starts a line of Kong's log.
func TestKongsLogIsNotForged(t *testing.T) {
	const forged = "\n2026/01/01 00:00:00 [crit] forged"
	k, backend := examining(t, "KONG_LOG_LEVEL=notice")
	base := config{}
	base.route("shop.test", backend.port)
	service := c0(base)
	attempts := map[string]func(config){
		"route's name": func(c config) { c["routes"][id("route", "shop-test")]["name"] = "a" + forged },
		"route's expression": func(c config) {
			c["routes"][id("route", "shop-test")]["expression"] = `http.path == "` + forged + `" &&`
		},
		"valid expression": func(c config) {
			c["routes"][id("route", "shop-test")]["expression"] = `lower(http.host) == "shop.test` + forged + `"`
		},
		"a tag":          func(c config) { c["routes"][id("route", "shop-test")]["tags"] = []string{"a" + forged} },
		"service's host": func(c config) { c["services"][service]["host"] = "a" + forged },
		"service's path": func(c config) { c["services"][service]["path"] = "/a" + forged },
		"unknown field":  func(c config) { c["routes"][id("route", "shop-test")]["x"+forged] = "y" + forged },
		"upstream":       func(c config) { c.put("upstreams", entity{"id": id("u"), "name": "up" + forged}) },
		"target": func(c config) {
			c.put("upstreams", entity{"id": id("u"), "name": "up"})
			c.put("targets", entity{"id": id("t"), "upstream": id("u"), "target": "a" + forged + ":80"})
		},
		"plugin's name": func(c config) { c.plugin("shop.test", "none"+forged, entity{}) },
		"plugin's value": func(c config) {
			c.plugin("shop.test", "request-transformer", entity{"add": entity{"headers": []string{"a:b" + forged}}, "replace": entity{"uri": "/$(x" + forged + ")"}})
		},
		"message": func(c config) {
			c.plugin("shop.test", "request-termination", entity{"message": "a" + forged, "status_code": 403})
		},
		"consumer": func(c config) {
			c.put("consumers", entity{"id": id("c"), "username": "a" + forged, "custom_id": "b" + forged})
		},
		"SNI": func(c config) {
			p := keyPairs(t, 1)[0]
			c.put("certificates", entity{"id": id("cert"), "cert": p.cert + forged, "key": p.key})
			c.put("snis", entity{"id": id("sni"), "name": "a" + forged, "certificate": id("cert")})
		},
		"certificate": func(c config) {
			c.put("certificates", entity{"id": id("cert"), "cert": "x" + forged, "key": "y" + forged})
		},
		"vault reference": func(c config) {
			c.plugin("shop.test", "key-auth", entity{"key_names": []string{"{vault://none/a" + forged + "}"}})
		},
	}
	for name, change := range attempts {
		c := config{}
		c.route("shop.test", backend.port)
		change(c)
		code, message := k.post(c.body())
		if code == http.StatusCreated {
			k.Eventually(name, func() bool { return k.status().Ready })
		}
		k.wire(lines("GET /%0a2026/01/01%2000:00:00%20[crit]%20forged?a=%0a2026/01/01%2000:00:00%20[crit]%20forged HTTP/1.1", "Host: shop.test", "Connection: close", "Cookie: a=%0aforged"))
		k.load(base)
		if code, answer := k.send(difference(base, c), ""); code == http.StatusOK {
			k.load(base)
		} else if message == "" {
			t.Errorf("%s: %d without a word: %+v", name, code, answer)
		}
		if log := k.file("logs/error.log"); strings.Contains(log, "\n2026/01/01") {
			at := strings.Index(log, "\n2026/01/01")
			t.Errorf("%s: %d: a line of the log is forged: %q", name, code, log[max(0, at-300):min(len(log), at+100)])
			if err := k.truncateLog(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func c0(c config) string { return c.ids("services")[0] }
