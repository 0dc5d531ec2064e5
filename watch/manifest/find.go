package manifest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// found are the manifests and the directories at a path.
type found struct {
	files []string // in the order of their names
	dirs  []string
}

// find returns the manifests at a path: the file itself, or the files beneath the directory
// whose names end in .yaml, .yml or .json. It ignores names that start with a dot, such as
// the hidden directories of mounted ConfigMaps, and the files of Kustomize, which are not manifests.
func find(root string) (found, error) {
	info, err := os.Stat(root)
	if err != nil {
		return found{}, err
	}
	if !info.IsDir() {
		return found{files: []string{root}}, nil
	}
	var f found
	err = f.walk(root, nil)
	return f, err
}

// walk visits directories and links to directories. A link to one of the directories above
// would loop and is ignored.
func (f *found) walk(dir string, above []fs.FileInfo) error {
	this, err := os.Stat(dir)
	if err != nil || slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, this) }) {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	f.dirs = append(f.dirs, dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := os.Stat(path) // follows links
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed since, or a dangling link
		case err != nil:
			return err
		case info.IsDir():
			if err := f.walk(path, append(slices.Clip(above), this)); err != nil {
				return err
			}
		case isManifest(path) && info.Mode().IsRegular():
			f.files = append(f.files, path)
		}
	}
	return nil
}

func isManifest(path string) bool {
	if slices.Contains([]string{"kustomization.yaml", "kustomization.yml"}, filepath.Base(path)) {
		return false
	}
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}
