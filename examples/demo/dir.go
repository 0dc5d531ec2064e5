package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// maxSocketPath is the longest path of a socket that the kernel accepts, in bytes.
const maxSocketPath = 107

// plainPath matches the paths that nginx takes without quotes.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9/._@%+~,=-]+$`)

// settleDir replaces a directory for the gateway's files that the gateway cannot use, because nginx does not
// accept its name or it is too long for a socket.
func (o *options) settleDir() error {
	longest := filepath.Join(o.dir, gateways[1], "sockets", "admin.sock")
	if plainPath.MatchString(o.dir) && len(longest) <= maxSocketPath {
		return nil
	}
	// One directory for each, so that the next run finds the gateway of this one.
	other := filepath.Join("/tmp", fmt.Sprintf("kube-sync-demo-%d-%.4x", os.Getuid(), sha256.Sum256([]byte(o.dir))))
	if err := ownDir(other); err != nil {
		return fmt.Errorf("directory for the gateway's files: the gateway cannot use %q, as its path has special characters or is too long, nor "+
			"%s: choose another one with -dir: %w", o.dir, other, err)
	}
	fmt.Fprintf(o.out, "The gateway's files are in %s: the path of %q has special characters or is too long.\n", other, o.dir)
	o.dir = other
	return nil
}

// ownDir makes a directory that no other user can write to.
func ownDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return fmt.Errorf("%s exists and does not belong to this user alone", dir)
	}
	return nil
}

// link makes a link in the gateway's directory to that of kong.conf and the Lua plugins, whose path may have
// characters that Kong's command line does not take.
func (o *options) link() error {
	if err := os.Symlink(filepath.Dir(o.conf), o.linked()); err != nil {
		return fmt.Errorf("link to the gateway's settings: %w", err)
	}
	return nil
}

func (o *options) linked() string { return filepath.Join(o.prefix(), "conf") }
