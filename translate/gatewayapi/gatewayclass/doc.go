// Package gatewayclass translates GatewayClasses: which are ours, whether their Gateways have Services
// of their own, and which features they claim.
package gatewayclass
