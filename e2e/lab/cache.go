package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// cached returns the executable of the module in dir from the cache. It builds the executable if the cache does not have
// it.
func cached(name, dir string, build func(path string) error) (string, error) {
	hash, err := hashModule(dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	cache = filepath.Join(cache, "kube-sync")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	path := filepath.Join(cache, name+"-"+hash)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unlock, err := lock(filepath.Join(cache, name+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil // another test binary has built it meanwhile
	}
	unfinished, err := os.MkdirTemp(cache, "unfinished-")
	if err != nil {
		return "", fmt.Errorf("make a directory for %s: %w", name, err)
	}
	defer os.RemoveAll(unfinished)
	executable := filepath.Join(unfinished, name)
	if err := build(executable); err != nil {
		return "", err
	}
	if err := os.Rename(executable, path); err != nil {
		return "", fmt.Errorf("put %s into the cache: %w", name, err)
	}
	return path, nil
}

// lock waits for other test binaries that build.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}

// hashModule returns a digest of everything that the executable depends on.
func hashModule(dir string) (string, error) {
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		return "", err
	}
	files = append(files, "go.mod", "go.sum")
	slices.Sort(files)
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOARCH)
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return "", fmt.Errorf("read the source of %s: %w", dir, err)
		}
		fmt.Fprintf(hash, "%s %x\n", file, sha256.Sum256(data))
	}
	return fmt.Sprintf("%x", hash.Sum(nil)[:8]), nil
}
