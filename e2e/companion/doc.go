// Package companion tests the Lua companion of kube-sync, the plugin kube-sync-delta, in
// a real Kong without a database and with two workers.
//
// What it holds the companion to: after any sequence of deltas Kong stores what a full
// load of the same configuration gives, and each of its workers, in both subsystems,
// answers by it; a delta that is refused leaves everything as it was; nothing grows
// that does not shrink again. Without kong on PATH the tests are skipped and say so.
//
// The benchmarks print how long a change takes until every worker answers by it,
// through a delta and through a full load.
package companion
