package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"k8s.io/apimachinery/pkg/api/resource"
)

// full is the share of a limit from which on there is a warning, in percent.
const full = 80

// leastFiles is the number of file descriptors that a worker with Kong's default of 16384
// connections needs.
const leastFiles = 2 * 16384

// limits examines how much of memory, disk and the map of the configuration is used.
func (in *Inside) limits() []Finding {
	f := findings{area: "limits"}
	in.memory(&f)
	in.lmdb(&f)
	in.disk(&f, in.Prefix, "the prefix")
	in.disk(&f, filepath.Join(in.Prefix, "dbless.lmdb"), "the persisted configuration")
	in.files(&f)
	return f.all
}

// use adds how much of a limit is used.
func (f *findings) use(what, do string, used, limit int64) {
	share := used * 100 / max(limit, 1)
	text := fmt.Sprintf("%s: %s of %s used (%d %%)", what, bytes(used), bytes(limit), share)
	if share >= full {
		f.add(Warning, do, "%s", text)
	} else {
		f.ok("%s", text)
	}
}

// bytes returns a size in whole KiB, or in MiB from one on.
func bytes(n int64) string {
	unit := int64(1 << 20)
	if n < unit {
		unit = 1 << 10
	}
	return resource.NewQuantity(n/unit*unit, resource.BinarySI).String()
}

func (in *Inside) memory(f *findings) {
	limit, err := readNumber(filepath.Join(in.Cgroup, "memory.max"))
	used, err2 := readNumber(filepath.Join(in.Cgroup, "memory.current"))
	switch {
	case err != nil || err2 != nil:
		f.unknown("", "the memory limit cannot be read: %v", cmpErr(err, err2))
	case limit < 0:
		f.add(Warning, "set resources.limits.memory", "the container has no memory limit")
	default:
		f.use("memory", "raise resources.limits.memory; docs/operations/sizing.md says how much a configuration needs", used, limit)
	}
}

// lmdb compares the size of the persisted configuration with lmdb_map_size. Kong holds the old and
// the new one side by side.
func (in *Inside) lmdb(f *findings) {
	size, err := sizeOf(in.Kong["lmdb_map_size"])
	info, err2 := os.Stat(filepath.Join(in.Prefix, "dbless.lmdb", "data.mdb"))
	if err != nil || err2 != nil {
		f.unknown("", "the size of the persisted configuration cannot be read: %v", cmpErr(err, err2))
		return
	}
	f.use("lmdb_map_size", "raise lmdb_map_size and volumes.persisted.sizeLimit; the map should be three times as large as the configuration", info.Size(), size)
}

// sizeOf parses a size of Kong: 2048m.
func sizeOf(text string) (int64, error) {
	shift := map[byte]int{'k': 10, 'm': 20, 'g': 30}
	if text == "" {
		return 0, fmt.Errorf("the size is empty")
	}
	last := text[len(text)-1] | 0x20
	if bits, ok := shift[last]; ok {
		n, err := strconv.ParseInt(text[:len(text)-1], 10, 32)
		return n << bits, err
	}
	return strconv.ParseInt(text, 10, 64)
}

func (in *Inside) disk(f *findings, path, what string) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		f.unknown("", "the disk of %s cannot be examined: %v", what, err)
		return
	}
	block := int64(stat.Bsize) //nolint:unconvert // its type differs between systems
	size := int64(stat.Blocks) * block
	f.use("disk of "+what, "raise the limit of the volume, or look for large files in "+path, size-int64(stat.Bavail)*block, size)
}

// files examines how many files Kong's master may open. Its workers inherit the limit unless a
// setting raises it.
func (in *Inside) files(f *findings) {
	pid, err := os.ReadFile(filepath.Join(in.Prefix, "pids", "nginx.pid"))
	limits, err2 := os.ReadFile(filepath.Join(in.Proc, strings.TrimSpace(string(pid)), "limits"))
	if err != nil || err2 != nil {
		f.unknown("", "Kong's limit of open files cannot be read: %v", cmpErr(err, err2))
		return
	}
	for line := range strings.Lines(string(limits)) {
		fields := strings.Fields(strings.TrimPrefix(line, "Max open files"))
		if !strings.HasPrefix(line, "Max open files") || len(fields) < 2 {
			continue
		}
		soft, err := strconv.ParseInt(fields[0], 10, 64)
		if err == nil && soft < leastFiles {
			f.add(Warning, "raise the limit of the container runtime: each request needs two", "Kong may open %d files", soft)
		} else {
			f.ok("Kong may open %s files", fields[0])
		}
	}
}

// readNumber reads a number of the kernel; -1 for max.
func readNumber(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	value := strings.TrimSpace(string(text))
	if value == "max" {
		return -1, nil
	}
	return strconv.ParseInt(value, 10, 64)
}
