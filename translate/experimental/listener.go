package experimental

import gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

// The protocols of listeners of earlier releases that the present types cannot express. Such a
// listener is read with one of them, so that it is rejected rather than served without the check
// of client certificates that it asks for.
const (
	// DifferentFrontendValidation is for a listener whose tls.frontendValidation is not that of
	// another listener of its port.
	DifferentFrontendValidation gatewayv1.ProtocolType = "kube-sync.io/different-frontend-validation"
	// FrontendValidationInListenerSet is for a listener of an XListenerSet with
	// tls.frontendValidation.
	FrontendValidationInListenerSet gatewayv1.ProtocolType = "kube-sync.io/frontend-validation-in-listener-set"
)
