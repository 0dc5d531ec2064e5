// Package bench measures the gateway from the outside: how long after a write to the Kubernetes API requests are
// answered accordingly, through changes sent alone and through loads of everything, on a real Kong and a real control
// plane in the lab.
//
// For each number of routes there are two gateways, one after the other: one with the companion and one without. On
// each, rounds of changes are made, without other requests and then with a steady stream of them. A round is one change
// of each kind, one after the other. What is reported of a change:
//
//   - first: until a first answer is as the change wants it;
//   - effective: until all workers answer so, which counts when each has done so four times without another answer in
//     between. The time is that of the first of those answers;
//   - last stale: until the last answer that was as before.
//
// Questions are asked over new connections, every 2 ms at first and at longer intervals later, so that a time is
// known to some 2 ms or 1 % of it. Kong tells in a header which worker answers, and listens in a way by which the
// kernel hands connections to each worker alike.
//
// The endpoints are addresses that one process listens on. One that was removed goes on to answer, as a pod does that
// has time to end: an answer of it is stale, and no error.
//
// Results are a file of data and a page and a plot made of it. go test makes a small round of all of it and holds the
// page to the data.
package bench
