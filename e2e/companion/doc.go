// Package companion tests the Lua companion of kube-sync, the plugin kube-sync-delta, in
// a real Kong without a database and with two workers.
//
// What it holds the companion to: after any sequence of deltas Kong stores what a full
// load of the same configuration gives, and each of its workers, in both subsystems,
// answers by it; a delta that is refused leaves everything as it was; nothing grows
// that does not shrink again. Without kong on PATH the tests are skipped and say so.
//
// The plugin kube-sync-request is tested here, too, with bytes as an attacker sends them and as a
// backend reads them: what Kong, plugins and backends could read in two ways, requests in circles, and
// how much of bodies is held. Each of these attacks succeeds on a Kong 3.9.3 without the plugin.
//
// The benchmarks print how long a change takes until every worker answers by it,
// through a delta and through a full load.
package companion
