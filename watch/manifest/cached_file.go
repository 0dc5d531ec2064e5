package manifest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"

	"github.com/kube-sync/kube-sync/watch/kinds"
)

// cachedFile is the last good content of one file.
type cachedFile struct {
	sum [sha256.Size]byte
	// held are the objects of the last content without a fault.
	held []Manifest
	// fault says what is wrong with the newest content; "" if nothing is.
	fault string
}

// update reads the file again. If the content has changed and is without a fault, it
// returns the objects that are ignored.
func (f *cachedFile) update(path string, of []kinds.Kind) []Ignored {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		// It was removed since it was found. The next scan either does not find it, or reads what replaced it.
		f.sum, f.fault = [sha256.Size]byte{}, ""
		return nil
	}
	if err != nil {
		f.sum, f.fault = [sha256.Size]byte{}, err.Error()
		return nil
	}
	sum := sha256.Sum256(content)
	if sum == f.sum {
		return nil
	}
	f.sum = sum
	read, err := Read(path, bytes.NewReader(content), of)
	if err != nil {
		f.fault = err.Error()
		return nil
	}
	f.held, f.fault = read.Objects, ""
	return read.Ignored
}
