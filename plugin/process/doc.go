// Package process fits kube-sync into Kong's process tree. Kong's worker 0 starts the executable with
// an empty environment and its output in a pipe, starts it again when it ends, and starts another one
// when Kong is reloaded.
//
//   - [EndWithParent] ends the process when that worker dies, so that it does not configure a Kong
//     that another process configures already.
//   - [Claim] and [Turn.Hold] ensure that only the newest of several processes applies configuration.
//   - [UntilEnding] tells that the pod's preStop hook has run.
//   - [NewLog] writes to Kong's own log instead of the pipe.
//   - [Supervise] starts a part again that fails or panics; [Recover] turns a panic into an error.
//   - [LimitMemory] fits the heap into the container.
//   - [Prefix] finds Kong's prefix.
//
// Each is in a file of its own. The package is for Linux.
package process
