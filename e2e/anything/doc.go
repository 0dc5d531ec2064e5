// Package anything makes objects of all kinds that are read, with whatever content: for
// tests of what no object may do, to the translation, to a Kong, or to other objects.
//
// What is in the objects follows from bytes, so that a fuzzer can choose it. Most texts are
// such as mean something somewhere, and names are few: so that objects refer to each other,
// contest what only one can have, and are wrong in ways that are nearly right.
package anything
