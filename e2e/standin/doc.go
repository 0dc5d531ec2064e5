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
// [Limits] says what it cannot do, and its speed says nothing about Kong's.
package standin

// Limits are what the stand-in cannot do, for the people who try it.
const Limits = `The stand-in cannot
  - run plugins, authenticate consumers, or carry out filters and weights of Gateway API's routes: it answers 501 and says why;
  - balance by hashes, check the health of backends, or serve gRPC, TCP and UDP.`
