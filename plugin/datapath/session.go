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

// sessions keep the requests of a client at one endpoint. The first answer gives the client a token
// with the start of the session, the endpoint and a signature, and the client sends the token with
// later requests. All gateways with the rule make and accept the same tokens. A token does not
// reveal an address.
type sessions struct {
	route.Session
	endpoints map[endpointID]destination
	now       func() time.Time
}

// endpointID identifies an endpoint in a token.
type endpointID [8]byte

// destination is an endpoint of a backend.
type destination struct {
	backend *backend
	target  string
}

// The sizes in bytes of a token's time, in seconds since 1970, and of the whole token.
const (
	timeSize  = 8
	tokenSize = timeSize + 2*len(endpointID{})
)

func newSessions(s *route.Session, backends []*backend) *sessions {
	if s == nil {
		return nil
	}
	made := &sessions{Session: *s, endpoints: map[endpointID]destination{}, now: time.Now}
	for _, b := range backends {
		for _, target := range b.Targets {
			made.endpoints[made.endpointID(target)] = destination{b, target}
		}
	}
	return made
}

// sign returns 8 bytes that can only be computed with the salt.
func (s *sessions) sign(what string, data []byte) (signed endpointID) {
	sum := hmac.New(sha256.New, []byte(s.Salt))
	sum.Write([]byte(what))
	sum.Write(data)
	return endpointID(sum.Sum(nil)[:len(signed)])
}

func (s *sessions) endpointID(target string) endpointID { return s.sign("endpoint ", []byte(target)) }

// find returns the endpoint of a request's session, if the session has not expired and the endpoint
// exists.
func (s *sessions) find(q *http.Request) (found destination, ok bool) {
	if s == nil {
		return destination{}, false
	}
	for _, text := range s.tokens(q) {
		if found, ok = s.read(text); ok {
			return found, true
		}
	}
	return destination{}, false
}

// tokens returns the tokens of a request. A browser may send cookies of one name for several paths.
func (s *sessions) tokens(q *http.Request) (all []string) {
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
	if err != nil || len(token) != tokenSize {
		return destination{}, false
	}
	said, signature := token[:tokenSize-len(endpointID{})], token[tokenSize-len(endpointID{}):]
	if want := s.sign("token ", said); !hmac.Equal(want[:], signature) {
		return destination{}, false
	}
	begun := time.Unix(int64(binary.BigEndian.Uint64(said)), 0)
	if s.Lifetime > 0 && s.now().Sub(begun) >= s.Lifetime {
		return destination{}, false
	}
	found, ok := s.endpoints[endpointID(said[timeSize:])]
	return found, ok
}

// start adds the token of a new session to an answer.
func (s *sessions) start(answer *http.Response, q *http.Request, target string) {
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
	at := s.endpointID(target)
	said := append(binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix())), at[:]...)
	signature := s.sign("token ", said)
	return base64.RawURLEncoding.EncodeToString(append(said, signature[:]...))
}
