package explain

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// effect is what a plugin does to a request.
type effect struct {
	// text is for people; empty if the name of the plugin says enough.
	text string
	// answer is the status that the plugin answers; 0 for none.
	answer int
	// why is a sentence about the answer.
	why string
	// unknown is what the effect depends on; empty if it is certain.
	unknown string
	// perhaps are answers for a share of the requests.
	perhaps []Status
}

// effectOf returns the effect of a plugin. It quotes nothing that comes from a Secret.
func effectOf(p *pluginEntity, r Request) effect {
	e := effectByName(p, r)
	if p.secret && e.why != "" {
		e.why = "its configuration comes from a Secret"
	}
	return e
}

func effectByName(p *pluginEntity, r Request) effect {
	switch p.Name {
	case "kube-sync-closed":
		return effect{answer: http.StatusServiceUnavailable, text: "answers 503", why: "a plugin for all requests is unavailable: " + decode[struct{ Message string }](p).Message}
	case "request-termination":
		return termination(p, r)
	case "ip-restriction":
		return restriction(p, r.Source)
	case "redirect":
		c := decode[struct {
			Status int `json:"status_code"`
		}](p)
		return answering(cmp.Or(c.Status, http.StatusMovedPermanently), "redirects the client")
	case "kube-sync-http":
		return filters(p)
	case "kube-sync-cors", "cors":
		if r.Method == http.MethodOptions && r.header("Origin") != "" {
			return effect{text: "answers preflight requests", unknown: "whether " + p.Name + " answers the request as a preflight"}
		}
		return effect{text: "adds CORS headers"}
	case "kube-sync-mtls":
		return effect{text: "asks for a client certificate", unknown: "whether the client has a certificate that is valid"}
	case "kube-sync-stream":
		return effect{unknown: "whether the connection is closed for the share of an invalid backend"}
	case "acl":
		return effect{text: "needs a consumer of a group", unknown: "the groups of the consumer that the request authenticates"}
	}
	if f, ok := credentials[p.Name]; ok {
		return authentication(p, r, f)
	}
	if why, ok := conditional[p.Name]; ok {
		return effect{text: why.text, unknown: why.unknown}
	}
	if slices.Contains(observers, p.Name) {
		return effect{}
	}
	return effect{unknown: "what the plugin " + p.Name + " does"}
}

// conditional are plugins that may answer a request, and what that depends on.
var conditional = map[string]effect{
	"rate-limiting":           {text: "limits the rate", unknown: "whether the limit of rate-limiting is reached"},
	"response-ratelimiting":   {text: "limits the rate", unknown: "whether the limit of response-ratelimiting is reached"},
	"bot-detection":           {text: "refuses some clients", unknown: "whether bot-detection refuses the client by its User-Agent"},
	"request-size-limiting":   {text: "limits the size", unknown: "the size of the request"},
	"request-transformer":     {text: "changes the request"},
	"proxy-cache":             {text: "may answer from its cache", unknown: "what the cache holds"},
	"acme":                    {text: "answers challenges"},
	"session":                 {text: "reads a session cookie"},
	"kube-sync-delta":         {},
	"aws-lambda":              {text: "calls a function, which answers", unknown: "what the function answers"},
	"azure-functions":         {text: "calls a function, which answers", unknown: "what the function answers"},
	"grpc-web":                {text: "translates gRPC-Web", unknown: "whether the request is one of gRPC-Web"},
	"grpc-gateway":            {text: "translates to gRPC", unknown: "whether the request translates to gRPC"},
	"ai-response-transformer": {text: "calls another service", unknown: "what that service answers"},
}

func answering(status int, why string) effect {
	return effect{text: fmt.Sprintf("answers %d", status), answer: status, why: why}
}

// decode returns the configuration of a plugin; the zero value if it has another form.
func decode[T any](p *pluginEntity) (config T) {
	_ = json.Unmarshal(p.Config, &config)
	return config
}

// termination is the effect of request-termination, which may have a trigger.
func termination(p *pluginEntity, r Request) effect {
	c := decode[struct {
		Status        int `json:"status_code"`
		Message, Body string
		Trigger       string
		Echo          bool
	}](p)
	if _, inQuery := queriesOf(r.Query)[c.Trigger]; c.Trigger != "" && r.header(c.Trigger) == "" && !inQuery {
		return effect{text: "answers requests with its trigger"}
	}
	why := c.Message
	if why == "" {
		why = c.Body
	}
	return answering(cmp.Or(c.Status, http.StatusServiceUnavailable), strings.TrimSpace("answers all requests: "+why))
}

// restriction is the effect of ip-restriction. It denies everything where a plugin is unavailable.
func restriction(p *pluginEntity, source netip.Addr) effect {
	c := decode[struct {
		Allow, Deny []string
		Status      int
		Message     string
	}](p)
	denied := answering(cmp.Or(c.Status, http.StatusForbidden), strings.TrimSpace("denies the client's address: "+c.Message))
	if slices.Contains(c.Deny, "0.0.0.0/0") && slices.Contains(c.Deny, "::/0") {
		denied.why = c.Message
		return denied
	}
	if !source.IsValid() {
		return effect{text: "restricts addresses", unknown: "the client's address, which ip-restriction judges (--from)"}
	}
	if among(source, c.Deny) || len(c.Allow) > 0 && !among(source, c.Allow) {
		return denied
	}
	return effect{text: "allows the client's address"}
}

func among(a netip.Addr, list []string) bool {
	return slices.ContainsFunc(list, func(text string) bool {
		if block, err := netip.ParsePrefix(text); err == nil {
			return block.Contains(a)
		}
		other, err := netip.ParseAddr(text)
		return err == nil && other == a
	})
}

// filters is the effect of kube-sync-http.
func filters(p *pluginEntity) effect {
	c := decode[httpConfig](p)
	if c.Redirect != nil {
		return answering(c.Redirect.Status, "redirects the client")
	}
	var does []string
	for _, part := range []struct {
		set  bool
		text string
	}{
		{c.Rewrite != nil, "rewrites the request's path or host"}, {c.Request != nil, "changes request headers"},
		{c.Response != nil, "changes response headers"}, {len(c.Shares) > 0, "chooses a backend by weight"}, {c.Relay != "", "passes the request to the relay"},
	} {
		if part.set {
			does = append(does, part.text)
		}
	}
	e := effect{text: strings.Join(does, ", ")}
	e.answerShares(c)
	return e
}

// answerShares adds the answers to the shares of backends that get no requests: all of them, or some.
func (e *effect) answerShares(c httpConfig) {
	const why = "no backend is valid and has endpoints and a weight"
	refused := 0
	for _, s := range c.Shares {
		code, text := s.Status, why
		if s.Redirect != nil {
			code, text = s.Redirect.Status, "the filters of the backend redirect the client"
		}
		if code == 0 {
			continue
		}
		refused += s.Weight
		e.perhaps = append(e.perhaps, Status{Code: code, By: "kube-sync-http", Why: fmt.Sprintf("%s, for %.4g %% of the requests", text, 100*float64(s.Weight)/float64(c.Total))})
	}
	switch {
	case refused == 0:
	case refused == c.Total && len(e.perhaps) == 1:
		*e = answering(e.perhaps[0].Code, why)
	default:
		e.unknown = "which backend takes the request: the gateway chooses by weight"
	}
}

// httpConfig is the configuration of kube-sync-http.
type httpConfig struct {
	Redirect *struct{ Status int }
	Rewrite  *json.RawMessage
	Request  *json.RawMessage
	Response *json.RawMessage
	Shares   []share
	Total    int
	Relay    string
}

type share struct {
	Weight, Status  int
	Upstream, Relay string
	Redirect        *struct{ Status int }
}

// credentials find the credentials that plugins look for in a request.
var credentials = map[string]func(*pluginEntity, Request) bool{
	"key-auth":   hasKey,
	"basic-auth": hasBasic,
	"ldap-auth":  hasAuthorization,
	"hmac-auth":  hasAuthorization,
	"jwt":        hasToken,
	"oauth2":     hasOAuth,
}

// authentication is the effect of a plugin that authenticates. That a credential is missing is
// certain; whether one is valid is not.
func authentication(p *pluginEntity, r Request, has func(*pluginEntity, Request) bool) effect {
	c := decode[struct {
		Anonymous      string
		RunOnPreflight *bool `json:"run_on_preflight"`
	}](p)
	switch {
	case c.Anonymous != "":
		return effect{text: "authenticates, and admits anonymous clients"}
	case r.Method == http.MethodOptions && c.RunOnPreflight != nil && !*c.RunOnPreflight:
		return effect{text: "admits preflight requests"}
	case has(p, r):
		return effect{text: "authenticates", unknown: "whether the credential for " + p.Name + " is valid"}
	}
	return answering(http.StatusUnauthorized, "needs a credential, and the request has none")
}

func hasKey(p *pluginEntity, r Request) bool {
	c := decode[struct {
		Names  []string `json:"key_names"`
		Header *bool    `json:"key_in_header"`
		Query  *bool    `json:"key_in_query"`
		Body   bool     `json:"key_in_body"`
	}](p)
	if len(c.Names) == 0 {
		c.Names = []string{"apikey"}
	}
	queries := queriesOf(r.Query)
	return c.Body || slices.ContainsFunc(c.Names, func(name string) bool {
		_, inQuery := queries[name]
		return (c.Header == nil || *c.Header) && r.header(name) != "" || (c.Query == nil || *c.Query) && inQuery
	})
}

func hasAuthorization(_ *pluginEntity, r Request) bool {
	return r.header("Authorization") != "" || r.header("Proxy-Authorization") != ""
}

func hasBasic(_ *pluginEntity, r Request) bool {
	for _, name := range []string{"Proxy-Authorization", "Authorization"} {
		scheme, value, _ := strings.Cut(r.header(name), " ")
		if _, err := base64.StdEncoding.DecodeString(value); strings.EqualFold(scheme, "basic") && err == nil {
			return true
		}
	}
	return false
}

func hasToken(p *pluginEntity, r Request) bool {
	c := decode[struct {
		Queries []string `json:"uri_param_names"`
		Headers []string `json:"header_names"`
		Cookies []string `json:"cookie_names"`
	}](p)
	if c.Queries == nil {
		c.Queries = []string{"jwt"}
	}
	if c.Headers == nil {
		c.Headers = []string{"authorization"}
	}
	queries := queriesOf(r.Query)
	return len(c.Cookies) > 0 && r.header("Cookie") != "" ||
		slices.ContainsFunc(c.Headers, func(name string) bool { return r.header(name) != "" }) ||
		slices.ContainsFunc(c.Queries, func(name string) bool { _, ok := queries[name]; return ok })
}

func hasOAuth(_ *pluginEntity, r Request) bool {
	_, inQuery := queriesOf(r.Query)["access_token"]
	return inQuery || r.header("Authorization") != "" || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
}
