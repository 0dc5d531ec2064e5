// Package standin is a stand-in for Kong Gateway, for tests and for trying kube-sync out
// on machines without Kong. Every answer says that it is not Kong.
//
// It accepts Kong's declarative configuration through the same Admin API on the same
// socket, routes by the same expressions with the same precedence, terminates TLS,
// balances and retries, rejects configurations with Kong's errors, and stores the last
// configuration in its prefix. It starts plugin servers like Kong: with an empty
// environment, a settings file in the prefix, and a new process a second after the old
// one has ended.
//
// The only plugin that it runs is request-termination. Routes with another plugin answer
// 501 with the plugin's name. It supports neither balancing by hashes nor health checks,
// gRPC, TCP or UDP, and its speed says nothing about Kong's.
package standin
