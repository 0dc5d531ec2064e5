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

// By how much the heap may grow, in percent of what lives in it, before the collector
// runs. Nearly all of it lives as long as the cluster's objects do.
const (
	growthAtStart = 30 // while the objects arrive, to bound the peak
	growthLater   = 12 // when little is allocated any more
	// leastGrowth in bytes is what a small heap may grow by all the same: requests that go
	// through the relay leave behind much that is dead, and each run of the collector costs
	// as much as what lives.
	leastGrowth = 16 << 20
)

// LimitMemory makes the garbage collector work harder before the container runs out
// of memory, unless GOMEMLIMIT says otherwise. Kong needs the larger part of it, so
// ours is a third. It returns the limit in bytes, or 0 if there is none. The number
// of CPUs needs nothing: the runtime reads it from the cgroup.
//
// With or without a limit the heap is kept from growing to twice its size.
func LimitMemory() int64 {
	grow(growthAtStart)
	return limitMemory("/sys/fs/cgroup", "/proc/self/cgroup")
}

// FreeMemory returns the memory of a large piece of work, such as a load of the whole configuration,
// to the operating system.
func FreeMemory() {
	debug.FreeOSMemory()
	LimitHeapGrowth()
}

// LimitHeapGrowth keeps the heap close to what lives in it, once the first configuration is applied.
// It is to be called again when that has changed, and costs next to nothing when it has not.
func LimitHeapGrowth() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		grow(growth(live[0].Value.Uint64()))
	}
}

// growth is by how much a heap may grow in which so many bytes live. It has few values, as
// each new one makes the collector reckon anew.
func growth(live uint64) int {
	rounded := uint64(1) << bits.Len64(max(live, 1<<20))
	return max(growthLater, int(leastGrowth*100/rounded))
}

// heapGrowth is the growth in force, in percent.
var heapGrowth atomic.Int64

func grow(percent int) {
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

// containerMemory is the smallest limit on the way from our control group to the
// root, or 0 if there is none.
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
