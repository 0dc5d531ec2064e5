// Package hostname compares host names as Gateway API does: the wildcard of "*.example.com" matches
// one or more labels.
package hostname
