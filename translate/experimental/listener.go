package experimental

import gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

// Listeners of earlier releases can ask for a validation of client certificates that the present
// types cannot express. Such a listener is read with one of these protocols, so that it is
// rejected rather than served without validation.
const (
	// DifferentFrontendValidation is for a listener whose tls.frontendValidation differs from
	// another listener's on the same port.
	DifferentFrontendValidation gatewayv1.ProtocolType = "kube-sync.io/different-frontend-validation"
	// FrontendValidationInListenerSet is for a listener of an XListenerSet with
	// tls.frontendValidation.
	FrontendValidationInListenerSet gatewayv1.ProtocolType = "kube-sync.io/frontend-validation-in-listener-set"
)
