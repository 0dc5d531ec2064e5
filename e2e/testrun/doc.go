// Command testrun runs go test with its arguments, and says what it is doing.
//
// Go's own output names a package when it and all before it have ended, which is silence for many minutes. testrun prints
// each package as it ends, the tests of a failed package that did not pass, and every few seconds what is running or that
// the compiler is at work. The race detector is used where this machine can build it; otherwise the first and the last
// lines say that it was left out and what it needs. The last line says which gateway the end-to-end tests met.
//
// The exit code is that of go test.
package main
