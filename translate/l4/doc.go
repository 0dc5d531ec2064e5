// Package l4 translates TCPIngresses and UDPIngresses: stream routes by port. Each object is a
// unit. Kong listens on the ports of its setting stream_listen; a route for another port has no
// effect.
package l4
