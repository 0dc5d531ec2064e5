package watch

import (
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// watchedDirs are the directories that are watched for the sake of manifests.
// Directories are watched rather than files because files are replaced.
type watchedDirs struct {
	watcher *fsnotify.Watcher
	paths   map[string]map[string]bool // by path: the directories that it needs
	parents map[string]map[string]bool // by directory: the names in it that matter
}

func newWatchedDirs(watcher *fsnotify.Watcher) *watchedDirs {
	return &watchedDirs{watcher: watcher, paths: map[string]map[string]bool{}, parents: map[string]map[string]bool{}}
}

// watch sees to it that a path and what was found there are watched, and tells
// whether a directory is that wasn't before.
func (d *watchedDirs) watch(path string, found found) bool {
	dirs := map[string]bool{}
	for _, dir := range found.dirs {
		dirs[resolve(dir)] = true
	}
	for _, file := range found.files {
		// The file may be a link to one elsewhere that is written in place.
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

// apply brings the watcher to what all paths need together.
func (d *watchedDirs) apply(path string, dirs map[string]bool) (added bool) {
	d.paths[path] = dirs
	watched := map[string]bool{}
	for _, dir := range d.watcher.WatchList() {
		watched[dir] = true
		if !d.needed(dir) {
			_ = d.watcher.Remove(dir) // it may be gone by itself
		}
	}
	for dir := range d.parents {
		if !watched[dir] {
			_ = d.watcher.Add(dir) // rescanning finds what isn't watched
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

// concerns tells whether an event about a name may be one of a manifest. A
// directory that is watched for one name in it may be as busy as /tmp.
func (d *watchedDirs) concerns(name string) bool {
	dir, base := filepath.Split(name)
	dir = filepath.Clean(dir)
	for _, dirs := range d.paths {
		if dirs[dir] {
			return true
		}
	}
	// Mounted ConfigMaps are replaced by exchanging the link "..data".
	return d.parents[dir][base] || strings.HasPrefix(base, "..")
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// resolve follows links as far as they lead.
func resolve(path string) string {
	path = absolute(path)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
