// Package hostname compares host names in the way of Gateway API, where the wildcard of "*.example.com" stands
// for any number of labels.
package hostname
