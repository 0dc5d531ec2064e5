// Package backend translates the backends of routes: ports of Services with their endpoints. Each is
// a unit that all its routes share, so that a change of endpoints affects one upstream only.
package backend
