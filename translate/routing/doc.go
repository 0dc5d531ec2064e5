// Package routing turns matches into what Kong's router evaluates and sorts by: expressions,
// priorities, and the places of routes with equal priorities.
package routing
