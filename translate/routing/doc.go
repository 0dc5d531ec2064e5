// Package routing makes of matches what Kong's router compares and how it orders them: expressions,
// priorities, and the places of routes whose priorities are equal.
package routing
