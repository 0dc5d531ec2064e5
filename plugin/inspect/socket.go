package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/kube-sync/kube-sync/plugin/serve"
)

// SocketPath returns the path of the API's socket of the Kong with a prefix. Only the user that Kong
// runs as can reach it.
func SocketPath(prefix string) string { return filepath.Join(prefix, "kube-sync", "inspect.sock") }

// Serve serves the API on its socket until the context ends.
func (i *Inspector) Serve(ctx context.Context, prefix string, log *slog.Logger) error {
	path := SocketPath(prefix)
	listener, err := listen(ctx, path)
	if err != nil {
		return fmt.Errorf("the socket of kube-sync status: %w", err)
	}
	server := serve.NewHTTPServer(i.Handler(), log)
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", path, err)
	}
	return nil
}

// listen listens on a socket in a directory of its own, because the permissions of a socket cannot be
// set before it exists. It replaces the socket of a process that has ended.
func listen(ctx context.Context, path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // the file may be the socket of a newer process
	}
	return listener, os.Chmod(path, 0o600)
}
