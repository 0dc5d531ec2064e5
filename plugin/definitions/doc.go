// Package definitions holds the CustomResourceDefinitions of Gateway API and of Kong, in the
// versions of the modules that this program is built with: those that it is tested with.
package definitions
