package process

import (
	"math/bits"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
)

// The percentage by which the heap may grow before the garbage collector runs. Nearly all of the
// heap lives as long as the cluster's objects.
const (
	growthAtStart = 30 // while the objects arrive, to limit the peak
	growthLater   = 12 // when little is allocated
	// leastGrowth is the number of bytes by which a small heap may grow: requests through the relay
	// leave much garbage, and each run of the collector costs as much as the live heap.
	leastGrowth = 16 << 20
)

// LimitMemory makes the garbage collector work harder before the container runs out of memory,
// unless GOMEMLIMIT is set. kube-sync uses up to a third of the container's memory, as Kong needs
// more. LimitMemory returns the limit in bytes, or 0 if there is none. The number of CPUs needs no
// code: the runtime reads it from the cgroup.
//
// With or without a limit, the heap does not grow to twice its size.
func LimitMemory() int64 {
	setGrowth(growthAtStart)
	return limitMemory("/sys/fs/cgroup", "/proc/self/cgroup")
}

// FreeMemory returns memory to the operating system after a large piece of work, such as a full
// load.
func FreeMemory() {
	debug.FreeOSMemory()
	LimitHeapGrowth()
}

// LimitHeapGrowth keeps the heap close to its live size, once the first configuration is applied.
// The caller repeats it when the live size may have changed; it is cheap if it has not.
func LimitHeapGrowth() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		setGrowth(growthFor(live[0].Value.Uint64()))
	}
}

// growthFor returns the percentage for a live heap of a size in bytes. It returns few different
// values, as the collector starts a cycle for each new one.
func growthFor(live uint64) int {
	rounded := uint64(1) << bits.Len64(max(live, 1<<20))
	return max(growthLater, int(leastGrowth*100/rounded))
}

// heapGrowth is the current percentage.
var heapGrowth atomic.Int64

func setGrowth(percent int) {
	if os.Getenv("GOGC") == "" && heapGrowth.Swap(int64(percent)) != int64(percent) {
		debug.SetGCPercent(percent)
	}
}

func limitMemory(root, membership string) int64 {
	if os.Getenv("GOMEMLIMIT") != "" {
		return 0
	}
	limit := containerMemory(root, membership) / 3
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	return limit
}

// containerMemory returns the lowest memory limit from the process's control group up to the root,
// or 0 if there is none.
func containerMemory(root, membership string) int64 {
	group := "/"
	lines, _ := os.ReadFile(membership)
	for line := range strings.SplitSeq(string(lines), "\n") {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			group = filepath.Clean("/" + path)
		}
	}
	least := int64(0)
	for {
		text, _ := os.ReadFile(filepath.Join(root, group, "memory.max"))
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit > 0 && (least == 0 || limit < least) {
			least = limit
		}
		if group == "/" {
			return least
		}
		group = filepath.Dir(group)
	}
}
