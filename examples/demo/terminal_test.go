package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestEndWithTheReaderOfTheOutput(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if closed(writer) || closed(file) {
		t.Error("an open pipe or a file is closed")
	}
	stopped := make(chan struct{})
	go endWithTerminal(writer, func() { close(stopped) })
	reader.Close()
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Error("the demo does not end")
	}
}
