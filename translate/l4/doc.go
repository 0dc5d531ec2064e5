// Package l4 translates TCPIngress and UDPIngress: routes of connections and datagrams
// by port. Each is a unit of its own. Kong listens at the ports that its setting
// stream_listen has, and a route for another port waits for nothing.
package l4
