package manifest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

const (
	// settle is how long files must be unchanged before they are read, so that a file that
	// is written in several steps is read once.
	settle = 100 * time.Millisecond
	// settleAtMost bounds the wait for files that change all the time.
	settleAtMost = 2 * time.Second
	// rescan is how often files are read without a notification: some file systems, such
	// as network ones, send none.
	rescan = time.Minute
	// rescanBlind is how often files are read if none can be watched.
	rescanBlind = 5 * time.Second
)

// Options say where the manifests are.
type Options struct {
	// Paths are files and directories. Directories are read recursively, see [ReadFiles].
	Paths []string
	// Kinds defaults to [kinds.All].
	Kinds []kinds.Kind
	// Log defaults to slog.Default().
	Log *slog.Logger
}

// Files is the source that watches manifests. A faulty file keeps the content that it had,
// at the start none, and the fault is logged. Of two manifests of one object the first takes
// effect, by path and file name. All Secrets are delivered, wanted or not.
type Files struct {
	changes *watch.Queue
	paths   []string
	kinds   []kinds.Kind
	byName  map[unit.Kind]kinds.Kind
	log     *slog.Logger
	dirs    *watchedDirs

	files   map[string]*cachedFile
	order   map[string][]string // by path
	current map[unit.Key]Manifest
	faults  map[string]bool
}

// NewFiles returns a source that watches when it is run.
func NewFiles(options Options) *Files {
	f := &Files{
		changes: watch.NewQueue(),
		paths:   options.Paths,
		kinds:   options.Kinds,
		byName:  map[unit.Kind]kinds.Kind{},
		log:     options.Log,
		files:   map[string]*cachedFile{},
		order:   map[string][]string{},
		current: map[unit.Key]Manifest{},
		faults:  map[string]bool{},
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	if f.kinds == nil {
		f.kinds = kinds.All()
	}
	for _, kind := range f.kinds {
		f.byName[kind.Name] = kind
	}
	f.changes.Expect(f)
	return f
}

// Pending implements [watch.Source].
func (f *Files) Pending() <-chan struct{} { return f.changes.Pending() }

// Take implements [watch.Source].
func (f *Files) Take() watch.Batch { return f.changes.Take() }

// Want implements [watch.Source]. It does nothing, because every object is delivered whole.
func (f *Files) Want([]unit.Key) {}

// SelfContained says that objects that are not in the files do not exist.
func (f *Files) SelfContained() {}

// Run implements [watch.Source]. It returns an error if a path does not exist at the start.
func (f *Files) Run(ctx context.Context) error {
	for _, path := range f.paths {
		if _, err := find(path); err != nil {
			return fmt.Errorf("manifests: %w", err)
		}
	}
	interval := rescan
	var events <-chan fsnotify.Event
	var failures <-chan error
	if watcher, err := fsnotify.NewWatcher(); err != nil {
		interval = rescanBlind
		f.log.Warn("polling for manifests because files cannot be watched", "interval", interval, "error", err)
	} else {
		defer watcher.Close()
		f.dirs = newWatchedDirs(watcher)
		events, failures = watcher.Events, watcher.Errors
	}
	f.scan()
	f.changes.Arrived(f)
	f.follow(ctx, events, failures, time.NewTicker(interval))
	return nil
}

// follow scans when the files have settled after a change.
func (f *Files) follow(ctx context.Context, events <-chan fsnotify.Event, failures <-chan error, again *time.Ticker) {
	defer again.Stop()
	quiet := time.NewTimer(0)
	quiet.Stop()
	var latest time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			if !f.dirs.concerns(event.Name) {
				continue
			}
			if latest.IsZero() {
				latest = time.Now().Add(settleAtMost)
			}
			quiet.Reset(min(settle, time.Until(latest)))
		case err := <-failures:
			// Events were lost, or a directory cannot be watched.
			f.log.Warn("watching manifests failed", "error", err)
			quiet.Reset(settle)
		case <-quiet.C:
			latest = time.Time{}
			f.scan()
		case <-again.C:
			f.scan()
		}
	}
}

// scan reads the changed files and delivers the difference.
func (f *Files) scan() {
	faults := map[string]bool{}
	held := map[string]*cachedFile{}
	var order []string
	for _, path := range f.paths {
		read := f.read
		if found, err := f.look(path); err == nil {
			f.order[path] = found.files
		} else {
			faults[err.Error()] = true
			read = func(file string) *cachedFile { return f.files[file] }
		}
		for _, file := range f.order[path] {
			if held[file] != nil {
				continue
			}
			held[file] = read(file)
			order = append(order, file)
			if fault := held[file].fault; fault != "" {
				faults[fault] = true
			}
		}
	}
	f.files = held
	f.deliver(f.merge(order, faults))
	f.report(faults)
}

// look finds the manifests at a path and watches their directories. It looks again after it
// has added a watch, because a new directory may have been filled before that.
func (f *Files) look(path string) (found, error) {
	for {
		found, err := find(path)
		if f.dirs == nil || !f.dirs.watch(path, found) {
			return found, err
		}
	}
}

func (f *Files) read(path string) *cachedFile {
	file := f.files[path]
	if file == nil {
		file = &cachedFile{}
	}
	for _, ignored := range file.update(path, f.kinds) {
		f.log.Info("ignoring a manifest of a kind that is not read", "position", ignored.Position.String(),
			"api_version", ignored.APIVersion, "kind", ignored.Kind, "name", ignored.Name)
	}
	return file
}

// merge returns the objects of all files. It adds duplicates to the faults.
func (f *Files) merge(order []string, faults map[string]bool) map[unit.Key]Manifest {
	merged := map[unit.Key]Manifest{}
	for _, file := range order {
		for _, manifest := range f.files[file].held {
			if first, ok := merged[manifest.Key]; ok {
				faults[duplicate(manifest, first.Position).Error()] = true
				continue
			}
			merged[manifest.Key] = manifest
		}
	}
	return merged
}

// deliver puts the objects that differ from those of the last scan.
func (f *Files) deliver(merged map[unit.Key]Manifest) {
	for key, manifest := range merged {
		before, ok := f.current[key]
		if ok && (before.Object == manifest.Object || f.byName[key.Kind].Same(before.Object, manifest.Object)) {
			manifest.Object = before.Object
			merged[key] = manifest
			continue
		}
		f.changes.Put(key, manifest.Object)
	}
	for key := range f.current {
		if _, ok := merged[key]; !ok {
			f.changes.Put(key, nil)
		}
	}
	f.current = merged
}

// report logs the faults that are new since the last scan.
func (f *Files) report(faults map[string]bool) {
	for fault := range faults {
		if !f.faults[fault] {
			f.log.Error("manifest rejected", "reason", fault)
		}
	}
	if len(faults) == 0 && len(f.faults) > 0 {
		f.log.Info("all manifests accepted")
	}
	f.faults = faults
}
