// Package anything makes objects of all kinds with random content. Tests use them to show what no
// object can do to the translation, to Kong, or to other objects.
//
// The content is derived from bytes, so that a fuzzer can choose it. Most strings have a meaning in
// some field, and names are few, so that objects refer to each other, conflict with each other, and
// are nearly valid.
package anything
