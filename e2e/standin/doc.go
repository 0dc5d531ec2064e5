// Package standin is a stand-in for Kong Gateway, for trying kube-sync out and for
// tests on machines that have no Kong. It is not Kong and says so in every answer.
//
// It takes Kong's declarative configuration through the same Admin calls on the same
// socket, routes by the same expressions with the same precedence, terminates TLS,
// balances and retries, refuses configurations in Kong's shape, keeps the last one in
// its prefix, and starts plugin servers the way Kong does: with an empty environment,
// a settings file in the prefix, and a new process a second after the old one ended.
//
// Of plugins it runs request-termination alone; the routes of all others answer 501
// with the plugin's name. It does not balance by hashes, check health, or speak gRPC,
// TCP and UDP, and its speed says nothing about Kong's.
package standin
