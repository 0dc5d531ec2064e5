// Package process is about living inside Kong's process tree. Kong's worker 0 starts
// the executable, with an empty environment and its output in a pipe, starts it
// again when it ends, and starts another one beside it when Kong is reloaded.
//
//   - [EndWithParent] ends the process when that worker dies, so that nobody applies
//     configuration to a Kong that another one serves already.
//   - [Claim] and [Turn.Hold] see to it that of overlapping processes the newest
//     applies configuration, and only it.
//   - [NewLog] writes where Kong's own log goes rather than into the pipe.
//   - [Supervise] starts what fails or panics again; [Recover] turns a panic into an error.
//   - [LimitMemory] fits the heap into the container.
//   - [Prefix] finds Kong's prefix.
//
// Each is in a file of its own. All of it is for Linux.
package process
