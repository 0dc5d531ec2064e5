package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kube-sync/kube-sync/watch/kinds"
)

// Read reads the objects in a stream of YAML documents or JSON values, as kubectl does: it
// flattens Lists and puts namespaced objects without a namespace into "default". As an API
// server would, it fills in defaults, moves stringData into data, accepts every version of
// a custom kind and rejects unknown fields. Missing UIDs and creation times stay empty.
// The name appears in positions and errors, such as `shop.yaml: document 3: apiVersion is missing`;
// "-" appears as "stdin".
func Read(name string, stream io.Reader, of []kinds.Kind) (Manifests, error) {
	reader := newReader(of, strict{})
	err := eachDocument(name, stream, func(d document) error {
		if err := reader.document(d.json, d.Position); err != nil {
			return fmt.Errorf("%v: %w", d.Position, err)
		}
		return nil
	})
	if err != nil {
		return Manifests{}, err
	}
	return reader.read, reader.read.unique()
}

// ReadFiles reads files, directories with everything beneath them, and "-", the standard
// input. The objects are in the order of the paths and of the file names beneath them. The
// error joins the faults of all files.
func ReadFiles(paths []string, of []kinds.Kind) (Manifests, error) {
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
			add(Read(path, os.Stdin, of))
			continue
		}
		found, err := find(path)
		if err != nil {
			problems = append(problems, err)
		}
		for _, file := range found.files {
			add(readFile(file, of))
		}
	}
	if len(problems) == 0 {
		problems = append(problems, all.unique())
	}
	return all, errors.Join(problems...)
}

func readFile(file string, of []kinds.Kind) (Manifests, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Manifests{}, err
	}
	return Read(file, bytes.NewReader(content), of)
}
