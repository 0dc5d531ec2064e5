// Package watchtest holds what the tests of the packages below watch share: a consumer of
// sources, a log to search, and fakes of an API server.
package watchtest
