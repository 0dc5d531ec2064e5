package datapath

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/kube-sync/kube-sync/translate/route"
)

// sessions keeps the requests of one client at one endpoint. A client shows a token that
// it was given with its first answer: when the session began, which endpoint it is at, and
// a signature. All gateways that have the rule make and read the same tokens, and nobody
// reads an address in them.
type sessions struct {
	route.Session
	places map[place]destination
	now    func() time.Time
}

// place is what a token says of an endpoint.
type place [8]byte

// destination is an endpoint of a backend.
type destination struct {
	backend *backend
	target  string
}

// The bytes of a token: seconds since 1970, the place, the signature.
const (
	sizeOfTime  = 8
	sizeOfToken = sizeOfTime + 2*len(place{})
)

func newSessions(s *route.Session, backends []*backend) *sessions {
	if s == nil {
		return nil
	}
	made := &sessions{Session: *s, places: map[place]destination{}, now: time.Now}
	for _, b := range backends {
		for _, target := range b.Targets {
			made.places[made.place(target)] = destination{b, target}
		}
	}
	return made
}

// sign gives 8 bytes that only those know who have the salt.
func (s *sessions) sign(what string, data []byte) (signed place) {
	sum := hmac.New(sha256.New, []byte(s.Salt))
	sum.Write([]byte(what))
	sum.Write(data)
	return place(sum.Sum(nil)[:len(signed)])
}

func (s *sessions) place(target string) place { return s.sign("endpoint ", []byte(target)) }

// find gives the endpoint of a request's session, if it has one that is not over and the
// endpoint is there. Without sessions there is none.
func (s *sessions) find(q *http.Request) (found destination, ok bool) {
	if s == nil {
		return destination{}, false
	}
	for _, text := range s.shown(q) {
		if found, ok = s.read(text); ok {
			return found, true
		}
	}
	return destination{}, false
}

// shown are the tokens that a request may have. A browser may send cookies of one name
// for several paths.
func (s *sessions) shown(q *http.Request) (all []string) {
	if s.Header {
		return q.Header.Values(s.Name)
	}
	for _, c := range q.CookiesNamed(s.Name) {
		all = append(all, c.Value)
	}
	return all
}

func (s *sessions) read(text string) (destination, bool) {
	token, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(token) != sizeOfToken {
		return destination{}, false
	}
	said, signature := token[:sizeOfToken-len(place{})], token[sizeOfToken-len(place{}):]
	if want := s.sign("token ", said); !hmac.Equal(want[:], signature) {
		return destination{}, false
	}
	begun := time.Unix(int64(binary.BigEndian.Uint64(said)), 0)
	if s.Lifetime > 0 && s.now().Sub(begun) >= s.Lifetime {
		return destination{}, false
	}
	found, ok := s.places[place(said[sizeOfTime:])]
	return found, ok
}

// begin tells a client the token of a session that begins with this answer.
func (s *sessions) begin(answer *http.Response, q *http.Request, target string) {
	if s == nil {
		return
	}
	token := s.token(target)
	if s.Header {
		answer.Header.Set(s.Name, token)
		return
	}
	cookie := http.Cookie{Name: s.Name, Value: token, Path: s.Path, HttpOnly: true,
		Secure: q.Header.Get("X-Forwarded-Proto") == "https"}
	if s.Permanent {
		cookie.MaxAge = max(1, int(s.Lifetime.Seconds()))
	}
	answer.Header.Add("Set-Cookie", cookie.String())
}

func (s *sessions) token(target string) string {
	at := s.place(target)
	said := append(binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix())), at[:]...)
	signature := s.sign("token ", said)
	return base64.RawURLEncoding.EncodeToString(append(said, signature[:]...))
}
