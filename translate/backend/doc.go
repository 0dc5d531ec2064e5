// Package backend translates what routes send requests to: a Service's port with
// its endpoints. Each is a unit of its own, made once however many routes use it,
// so that a change of endpoints concerns one upstream and nothing else.
package backend
