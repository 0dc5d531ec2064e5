package collect

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"time"
)

// file is one file of a bundle.
type file struct {
	name string
	text []byte
}

// write writes files as a compressed tar archive, scrubbed.
func write(out io.Writer, dir string, files []file, scrubber *scrubber, now time.Time) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		text := scrubber.scrub(f.text)
		name := string(scrubber.scrub([]byte(f.name)))
		header := &tar.Header{Name: dir + "/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: now, Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(text); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}
