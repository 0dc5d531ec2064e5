package watch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// settle is how long nothing may happen to files before they are read, so
	// that what is written in several steps is read once and whole.
	settle = 100 * time.Millisecond
	// settleAtMost bounds that where something always happens.
	settleAtMost = 2 * time.Second
	// rescan is how often files are read without being told to: some file
	// systems, such as those over a network, don't tell.
	rescan = time.Minute
	// rescanBlind is the same where nothing can be watched at all.
	rescanBlind = 5 * time.Second
)

// FilesOptions say where the manifests are.
type FilesOptions struct {
	// Paths are files and directories. Directories are read recursively, see
	// [ReadManifestFiles].
	Paths []string
	// Kinds defaults to [AllKinds].
	Kinds []Kind
	// Log defaults to slog.Default().
	Log *slog.Logger
}

// Files is the source that watches manifests. A file with a fault keeps the
// content it had, at the start none, and the log says what is wrong with it. Of
// two manifests of one object the first counts, by path and file name. All
// Secrets are delivered, wanted or not.
type Files struct {
	*queue
	paths  []string
	kinds  []Kind
	byName map[unit.Kind]Kind
	log    *slog.Logger
	dirs   *watchedDirs

	files   map[string]*manifestFile
	order   map[string][]string // by path
	current map[unit.Key]Manifest
	faults  map[string]bool
}

// NewFiles returns a source that watches when it is run.
func NewFiles(options FilesOptions) *Files {
	f := &Files{
		queue:   newQueue(),
		paths:   options.Paths,
		kinds:   options.Kinds,
		byName:  map[unit.Kind]Kind{},
		log:     options.Log,
		files:   map[string]*manifestFile{},
		order:   map[string][]string{},
		current: map[unit.Key]Manifest{},
		faults:  map[string]bool{},
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	if f.kinds == nil {
		f.kinds = AllKinds()
	}
	for _, kind := range f.kinds {
		f.byName[kind.Name] = kind
	}
	f.expect(f)
	return f
}

// Want implements [Source]; everything is delivered whole.
func (f *Files) Want([]unit.Key) {}

// Run implements [Source]. A path that doesn't exist at the start is an error.
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
	f.arrived(f)
	f.follow(ctx, events, failures, time.NewTicker(interval))
	return nil
}

// follow scans whenever the files have settled after a change.
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
			// Events were lost, or a directory can't be watched.
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

// scan reads what has changed and puts the difference.
func (f *Files) scan() {
	faults := map[string]bool{}
	held := map[string]*manifestFile{}
	var order []string
	for _, path := range f.paths {
		read := f.read
		if found, err := f.look(path); err == nil {
			f.order[path] = found.files
		} else {
			faults[err.Error()] = true
			read = func(file string) *manifestFile { return f.files[file] }
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

// look finds the manifests at a path and watches where they are. A directory
// that appears while we look is looked into after it is watched.
func (f *Files) look(path string) (found, error) {
	for {
		found, err := find(path)
		if f.dirs == nil || !f.dirs.watch(path, found) {
			return found, err
		}
	}
}

func (f *Files) read(path string) *manifestFile {
	file := f.files[path]
	if file == nil {
		file = &manifestFile{}
	}
	for _, ignored := range file.update(path, f.kinds) {
		f.log.Info("ignoring a manifest of another kind", "position", ignored.Position.String(),
			"api_version", ignored.APIVersion, "kind", ignored.Kind, "name", ignored.Name)
	}
	return file
}

// merge returns what the files hold together.
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

// deliver puts what differs from what was put before.
func (f *Files) deliver(merged map[unit.Key]Manifest) {
	for key, manifest := range merged {
		before, ok := f.current[key]
		if ok && (before.Object == manifest.Object || f.byName[key.Kind].same(before.Object, manifest.Object)) {
			manifest.Object = before.Object
			merged[key] = manifest
			continue
		}
		f.put(key, manifest.Object)
	}
	for key := range f.current {
		if _, ok := merged[key]; !ok {
			f.put(key, nil)
		}
	}
	f.current = merged
}

// report logs the faults that weren't there before.
func (f *Files) report(faults map[string]bool) {
	for fault := range faults {
		if !f.faults[fault] {
			f.log.Error("manifest not taken", "reason", fault)
		}
	}
	if len(faults) == 0 && len(f.faults) > 0 {
		f.log.Info("all manifests taken")
	}
	f.faults = faults
}
