// Package gatewayclass translates GatewayClasses: which belong to this controller, whether their
// Gateways have Services of their own, and which features they report.
package gatewayclass
