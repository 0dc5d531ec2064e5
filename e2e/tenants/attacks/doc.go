// Package attacks tests on a real Kong what SECURITY.md promises: no object of one
// namespace opens, freezes, slows or reads what belongs to another.
//
// A gateway runs with kong-conf/kong.conf and follows a directory of manifests. The
// victim, namespace shop, has its manifests there throughout, sends requests and changes
// its own objects. Each attack adds manifests of the namespace attacker, and requests. The
// test holds that
//
//   - every request of the victim gets the same answer as without the attack;
//   - the victim's entities in Kong stay the same;
//   - a change of the victim takes effect within [worst];
//   - no worker of Kong and no kube-sync ends, or takes more than [mostMemory];
//   - the attacker's objects have the diagnostics that the attack names;
//   - after the attack everything is as before.
//
// Attacks are values of type attack, in one file for each kind of attack. The package needs
// kong on PATH and is skipped without it. It runs in network namespaces of its own, in which
// the denied addresses are traps.
//
// The environment variable TENANTS_REPORT names a file for the table of results.
//
// Glossary:
//
//	victim    the namespace that an attack must not affect
//	let in    a request that has to be refused, and is answered by a backend
//	trap      a server at an address that plugins and backends must not reach
//	canary    a secret value that must be found nowhere but in Kong
package attacks
