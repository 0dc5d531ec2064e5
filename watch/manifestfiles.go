package watch

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ReadManifestFiles reads files, directories with all that is beneath them, and
// "-", the standard input. It returns the objects in the order of the paths and
// of the file names beneath them, and all that is wrong with any of the files.
func ReadManifestFiles(paths []string, kinds []Kind) (Manifests, error) {
	var all Manifests
	var problems []error
	add := func(read Manifests, err error) {
		if err != nil {
			problems = append(problems, err)
		}
		all.Objects = append(all.Objects, read.Objects...)
		all.Ignored = append(all.Ignored, read.Ignored...)
	}
	for _, path := range paths {
		if path == "-" {
			add(ReadManifests(path, os.Stdin, kinds))
			continue
		}
		found, err := find(path)
		if err != nil {
			problems = append(problems, err)
		}
		for _, file := range found.files {
			add(readManifestFile(file, kinds))
		}
	}
	if len(problems) == 0 {
		problems = append(problems, all.unique())
	}
	return all, errors.Join(problems...)
}

func readManifestFile(file string, kinds []Kind) (Manifests, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Manifests{}, err
	}
	return ReadManifests(file, bytes.NewReader(content), kinds)
}

// found is what there is at a path.
type found struct {
	files []string // in the order of their names
	dirs  []string
}

// find returns the manifests at a path: the file itself, or the files beneath
// the directory whose names end in .yaml, .yml or .json. What begins with a dot
// is left out, which spares the hidden directories of mounted ConfigMaps.
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

// walk goes through directories and links to them; above are the directories
// that it is in, so that a link upwards ends it.
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
		case errors.Is(err, fs.ErrNotExist): // gone meanwhile, or a link to nothing
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
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}

// manifestFile is one file as it was last read.
type manifestFile struct {
	sum [sha256.Size]byte
	// held is the last content without a fault.
	held []Manifest
	// fault is what is wrong with the newest content, or "".
	fault string
}

// update reads the file anew. If its content has changed and is without a fault
// it returns what is ignored of it.
func (f *manifestFile) update(path string, kinds []Kind) []Ignored {
	content, err := os.ReadFile(path)
	if err != nil {
		f.sum, f.fault = [sha256.Size]byte{}, err.Error()
		return nil
	}
	sum := sha256.Sum256(content)
	if sum == f.sum {
		return nil
	}
	f.sum = sum
	read, err := ReadManifests(path, bytes.NewReader(content), kinds)
	if err != nil {
		f.fault = err.Error()
		return nil
	}
	f.held, f.fault = read.Objects, ""
	return read.Ignored
}
