// Package companion tests the Lua companion of kube-sync, the plugin kube-sync-delta, in
// a real Kong without a database and with two workers.
//
// The tests hold the companion to this: After any sequence of deltas, Kong stores the same
// as after a full load of the same configuration, and each worker, in both subsystems, uses
// it. A rejected delta changes nothing. Memory does not grow. Without kong on PATH the
// tests are skipped.
//
// Other tests are about the plugin kube-sync-request, with the bytes that an attacker sends and a
// backend receives: ambiguous requests, requests that loop, and the memory of bodies. Each of these
// attacks succeeds on Kong 3.9.3 without the plugin.
//
// The benchmarks print the time until every worker uses a change, sent as a delta and as
// a full load.
package companion
