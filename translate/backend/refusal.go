package backend

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The reasons why endpoints and external names are not used.
const (
	AddressNotAllowed      = "AddressNotAllowed"
	ExternalNameNotAllowed = "ExternalNameNotAllowed"
	EndpointInvalid        = "EndpointInvalid"
	ExternalNameInvalid    = "ExternalNameInvalid"
)

// advice says for each reason what is allowed, or which setting allows it.
var advice = map[string]string{
	AddressNotAllowed:      "The gateway does not connect to such addresses; the setting ALLOWED_ADDRESSES makes exceptions.",
	ExternalNameInvalid:    "Use a DNS name such as db.example.com, whose last label is not a number.",
	ExternalNameNotAllowed: "The setting ALLOW_EXTERNAL_NAME allows names.",
	EndpointInvalid:        "An endpoint needs an IP address, or with addressType FQDN a DNS name, and a port from 1 to 65535.",
}

// refusal is why one endpoint is not used.
type refusal struct {
	reason string
	// why is a clause about the endpoint: "10.0.0.1 is a loopback address".
	why string
}

// refuse returns why an endpoint is not used; nil if the gateway may connect to it.
func (o Options) refuse(kind discoveryv1.AddressType, host string, port int, policy address.Policy) *refusal {
	_, err := netip.ParseAddr(host)
	switch {
	case err != nil && kind != discoveryv1.AddressTypeFQDN:
		return &refusal{EndpointInvalid, fmt.Sprintf("%q is not an IP address", host)}
	case !isHost(host):
		return &refusal{EndpointInvalid, fmt.Sprintf("%q is neither an IP address nor a DNS name", host)}
	case !isPort(port):
		return &refusal{EndpointInvalid, fmt.Sprintf("%d is not a valid port", port)}
	case kind == discoveryv1.AddressTypeFQDN && !o.AllowExternalName:
		return &refusal{ExternalNameNotAllowed, host + " is a name"}
	}
	if what := hostReason(host, port, policy); what != "" {
		return &refusal{AddressNotAllowed, host + " is " + what}
	}
	return nil
}

// hostReason completes the sentence "127.0.0.1 is …" for a denied address, or for a name that always
// resolves to one; it is empty for others. Addresses of other names are checked on connecting.
func hostReason(host string, port int, policy address.Policy) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return policy.ReasonAt(ip, uint16(port))
	}
	if name := strings.ToLower(host); !policy.AllowOwnHost &&
		(name == "localhost" || strings.HasSuffix(name, ".localhost") || name == "ip6-localhost" || name == "ip6-loopback") {
		return "a name of the gateway's own host"
	}
	return ""
}

// isHost reports whether a host is a valid IP address or DNS name.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return !strings.Contains(host, "%")
	}
	return len(validation.IsDNS1123Subdomain(host)) == 0 && !number.MatchString(host[strings.LastIndexByte(host, '.')+1:])
}

// number matches the last label of an address in an old spelling, such as 127.1 or 0x7f000001, which
// some resolvers accept. No top-level domain is a number.
var number = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)

// refusals are the unused endpoints of a Service. A message names the first few.
type refusals struct {
	verdicts []unit.Verdict
	reported map[subject]int
	seen     map[refusal]bool
	named    map[string][]string // clauses by reason
	total    map[string]int
}

// subject is what a verdict is about. Their number is limited for each.
type subject struct {
	object unit.Key
	reason string
}

const mostNamed = 3

func (r *refusals) add(object unit.Key, at field.Path, why refusal) {
	if r.seen == nil {
		r.reported, r.seen, r.named, r.total = map[subject]int{}, map[refusal]bool{}, map[string][]string{}, map[string]int{}
	}
	if r.reported[subject{object, why.reason}]++; r.reported[subject{object, why.reason}] <= mostNamed {
		r.verdicts = append(r.verdicts, unit.Warning(object, why.reason, fmt.Sprintf("%s: %s. %s", at, why.why, advice[why.reason])).At(at))
	}
	if r.seen[why] {
		return
	}
	r.seen[why] = true
	if r.total[why.reason]++; r.total[why.reason] <= mostNamed {
		r.named[why.reason] = append(r.named[why.reason], why.why)
	}
}

// problem returns the problem for users of the Service; empty if all endpoints are used.
func (r *refusals) problem(ref Ref) (found problem) {
	for _, reason := range []string{AddressNotAllowed, ExternalNameNotAllowed, EndpointInvalid} {
		if r.total[reason] == 0 {
			continue
		}
		if found.reason == "" {
			found = problem{reason: reason, message: ref.String() + " has endpoints that are not used:"}
		}
		found.message += " " + strings.Join(r.named[reason], ", ")
		if more := r.total[reason] - mostNamed; more > 0 {
			found.message += fmt.Sprintf(" and %d more", more)
		}
		found.message += ". " + advice[reason]
	}
	return found
}
