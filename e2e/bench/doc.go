// Package bench measures the gateway from the outside: the time from a write to the Kubernetes API until requests are
// answered accordingly, by deltas and by full loads, on a real Kong and a real control plane in the lab.
//
// For each number of routes there are two gateways, one after the other: one with the companion and one without. Each
// gets rounds of changes, first without other requests and then with a steady stream of them. A round has one change of
// each kind, one after the other. For each change the benchmark reports the time
//
//   - first: until the first right answer;
//   - effective: until all workers answer right. Each worker has to give four right answers in a row, and the time is
//     that of the first of them;
//   - last stale: until the last answer by the old configuration.
//
// Requests use new connections, every 2 ms at first and at longer intervals later, so that times are exact to about 2 ms
// or 1 %. A header says which worker answers, and Kong listens so that the kernel distributes connections evenly over the
// workers.
//
// The endpoints are addresses of one process. A removed endpoint still answers, like a terminating pod. Its answer is
// stale, but not an error.
//
// The results are a file of data, and a page and a plot that are generated from it. go test runs a small round of
// everything, and holds the page to the data.
package bench

//go:generate go run ./generate ../results
