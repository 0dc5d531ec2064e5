package datapath

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate/route"
)

// visitor is a client that keeps one cookie or header.
type visitor struct {
	s            *serving
	cookie, head string
}

// visit returns the name of the endpoint that answered, and the answer if it started a session.
func (v *visitor) visit(t *testing.T) (name string, began *http.Response) {
	t.Helper()
	q := v.s.request("k", "GET", "/", nil)
	if v.cookie != "" {
		q.AddCookie(&http.Cookie{Name: "sid", Value: v.cookie})
	}
	if v.head != "" {
		q.Header.Set("sid", v.head)
	}
	answer, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		if c.Name == "sid" {
			v.cookie, began = c.Value, answer
		}
	}
	if token := answer.Header.Get("sid"); token != "" {
		v.head, began = token, answer
	}
	return answer.Header.Get("Endpoint"), began
}

func named(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Endpoint", name) }
}

func sessionRule(s route.Session, backends ...route.RelayBackend) route.Relay {
	s.Name, s.Salt = "sid", "salt"
	return route.Relay{Name: "r", Key: "k", Backends: backends, Session: &s}
}

func TestSessions(t *testing.T) {
	one, two := endpoint(t, named("one")), endpoint(t, named("two"))
	for name, session := range map[string]route.Session{"cookie": {Path: "/shop"}, "header": {Header: true}} {
		t.Run(name, func(t *testing.T) {
			s := running(t, near, sessionRule(session, to(one, two)...))
			seen := map[string]int{}
			for range 20 {
				v := visitor{s: s}
				first, began := v.visit(t)
				if began == nil {
					t.Fatal("the first answer starts no session")
				}
				seen[first]++
				for range 5 {
					if again, restarted := v.visit(t); again != first || restarted != nil {
						t.Fatalf("a session at %s continues at %s, restarted: %t", first, again, restarted != nil)
					}
				}
			}
			if seen["one"] == 0 || seen["two"] == 0 {
				t.Errorf("sessions began at %v", seen)
			}
		})
	}
}

// A client cannot forge a token, and a token ends with its endpoint, its rule or its lifetime.
func TestSessionsEnd(t *testing.T) {
	one, two := endpoint(t, named("one")), endpoint(t, named("two"))
	s := running(t, near, sessionRule(route.Session{Lifetime: time.Hour}, to(one)...))
	v := visitor{s: s}
	v.visit(t)
	token := v.cookie

	v.cookie = strings.ToUpper(token)
	if _, restarted := v.visit(t); restarted == nil {
		t.Error("a forged token is accepted")
	}
	v.cookie = token
	s.table.rule("k").sessions.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if _, restarted := v.visit(t); restarted == nil {
		t.Error("a session continues after its lifetime")
	}
	v.cookie = token
	s.Add(entities(sessionRule(route.Session{}, to(two)...)))
	if name, restarted := v.visit(t); name != "two" || restarted == nil {
		t.Errorf("the session of an endpoint that is gone goes to %q, restarted: %t", name, restarted != nil)
	}
	closed := closed(t)
	s.Add(entities(sessionRule(route.Session{}, to(closed, two)...)))
	v.cookie = s.table.rule("k").sessions.token(closed)
	if name, restarted := v.visit(t); name != "two" || restarted == nil {
		t.Errorf("the session of an endpoint that cannot be reached goes to %q, restarted: %t", name, restarted != nil)
	}
}

// A backend with weight 0 keeps its sessions and gets no new ones.
func TestSessionsDrain(t *testing.T) {
	one, two := endpoint(t, named("one")), endpoint(t, named("two"))
	drained := append(to(one), to(two)...)
	drained[0].Weight = 0
	s := running(t, near, sessionRule(route.Session{}, drained...))
	for range 10 {
		if name, _ := (&visitor{s: s}).visit(t); name != "two" {
			t.Fatalf("a new session begins at %q", name)
		}
	}
	v := visitor{s: s, cookie: s.table.rule("k").sessions.token(one)}
	if name, restarted := v.visit(t); name != "one" || restarted != nil {
		t.Errorf("an old session continues at %q, restarted: %t", name, restarted != nil)
	}
}

func TestSessionCookie(t *testing.T) {
	one := endpoint(t, named("one"))
	s := running(t, near, sessionRule(route.Session{Path: "/shop", Lifetime: 90 * time.Second, Permanent: true}, to(one)...))
	q := s.request("k", "GET", "/", nil)
	q.Header.Set("X-Forwarded-Proto", "https")
	answer, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	c := answer.Cookies()[0]
	if c.Path != "/shop" || c.MaxAge != 90 || !c.HttpOnly || !c.Secure {
		t.Errorf("the cookie is %q", answer.Header.Get("Set-Cookie"))
	}
}
