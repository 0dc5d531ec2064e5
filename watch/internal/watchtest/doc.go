// Package watchtest has what the tests of the packages beneath watch share: a consumer of
// sources, a log to search, and fakes of an API server.
package watchtest
