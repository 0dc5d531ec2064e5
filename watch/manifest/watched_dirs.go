package manifest

import (
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// watchedDirs are the watched directories of the manifests. Files themselves are not watched
// because editors and the kubelet replace them.
type watchedDirs struct {
	watcher *fsnotify.Watcher
	paths   map[string]map[string]bool // by path: the directories to watch for it
	parents map[string]map[string]bool // by directory: the names in it that matter
}

func newWatchedDirs(watcher *fsnotify.Watcher) *watchedDirs {
	return &watchedDirs{watcher: watcher, paths: map[string]map[string]bool{}, parents: map[string]map[string]bool{}}
}

// watch watches a path and what was found there. It reports whether it has added a
// directory.
func (d *watchedDirs) watch(path string, found found) bool {
	dirs := map[string]bool{}
	for _, dir := range found.dirs {
		dirs[resolve(dir)] = true
	}
	for _, file := range found.files {
		// The file may be a link to a file elsewhere that is written in place.
		if target := resolve(file); target != file {
			dirs[filepath.Dir(target)] = true
		}
	}
	for _, name := range []string{absolute(path), resolve(path)} {
		parent := resolve(filepath.Dir(name))
		if d.parents[parent] == nil {
			d.parents[parent] = map[string]bool{}
		}
		d.parents[parent][filepath.Base(name)] = true
	}
	return d.apply(path, dirs)
}

// apply sets the watcher to the directories of all paths.
func (d *watchedDirs) apply(path string, dirs map[string]bool) (added bool) {
	d.paths[path] = dirs
	watched := map[string]bool{}
	for _, dir := range d.watcher.WatchList() {
		watched[dir] = true
		if !d.needed(dir) {
			_ = d.watcher.Remove(dir) // it may be gone already
		}
	}
	for dir := range d.parents {
		if !watched[dir] {
			_ = d.watcher.Add(dir) // the regular scan finds changes in a directory that cannot be watched
		}
	}
	for dir := range dirs {
		if !watched[dir] && d.watcher.Add(dir) == nil {
			added = true
		}
	}
	return added
}

func (d *watchedDirs) needed(dir string) bool {
	for _, dirs := range d.paths {
		if dirs[dir] {
			return true
		}
	}
	return d.parents[dir] != nil
}

// concerns reports whether an event about a name may concern a manifest. A directory that is
// watched for a single name may be as busy as /tmp.
func (d *watchedDirs) concerns(name string) bool {
	dir, base := filepath.Split(name)
	dir = filepath.Clean(dir)
	for _, dirs := range d.paths {
		if dirs[dir] {
			return true
		}
	}
	// The kubelet updates a mounted ConfigMap by exchanging the link "..data".
	return d.parents[dir][base] || strings.HasPrefix(base, "..")
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// resolve returns the target of a path; the path itself if it does not exist.
func resolve(path string) string {
	path = absolute(path)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
