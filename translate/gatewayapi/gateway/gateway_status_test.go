package gateway

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// If the gateway is not permitted to write Services, the Gateway's status says so, and which role
// would permit it, until the Service exists.
func TestStatusReportsADeniedService(t *testing.T) {
	gateway := &gatewayv1.Gateway{}
	missing := gatewayWithoutOwnAddress("shop/web-kong")
	for name, test := range map[string]struct {
		network *network
		denied  string
		reason  gatewayv1.GatewayConditionReason
		says    string
	}{
		"denied":                {&network{missing: &missing}, "forbidden; role", gatewayv1.GatewayReasonNoResources, "cannot be written: forbidden; role"},
		"waiting":               {&network{missing: &missing}, "", gatewayv1.GatewayReasonAddressNotAssigned, "has no address yet"},
		"written by others":     {&network{addresses: []string{"192.0.2.1"}}, "forbidden; role", gatewayv1.GatewayReasonProgrammed, ""},
		"no Service of its own": {nil, "forbidden; role", gatewayv1.GatewayReasonProgrammed, ""},
	} {
		s, _ := newGatewayStatus(gateway, []assessment{{programmed: listenerProgrammed()}}, gatewayAccepted())
		s.network = test.network
		status, differs := s.Merge(gateway, unit.Moment{Addresses: []string{"192.0.2.9"}, Denied: test.denied})
		programmed := meta.FindStatusCondition(status.(gatewayv1.GatewayStatus).Conditions, "Programmed")
		if !differs || programmed.Reason != string(test.reason) || !strings.Contains(programmed.Message, test.says) {
			t.Errorf("%s: %+v, want %s", name, programmed, test.reason)
		}
	}
}
