// Package tracing traces changes from the write to the API server until they are effective, and until
// the statuses of their objects are written.
//
// A change is one trace, with the span "change" as its root. Its children are "seen" (an object waits
// until the agent takes it), "translate", "apply" (Kong gets the difference or the configuration),
// "workers" (until every worker of Kong uses it) and "status" (one write of a status; only the holder
// of the Lease writes). The attribute change is the id that the log has.
//
// Spans are made after the fact, with the times that the agent measured. Without an endpoint there is
// no tracer, and its methods do nothing.
package tracing
