package process

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// endingFile is in Kong's prefix. The pod's preStop hook creates it, long before Kong ends its processes.
const endingFile = "kube-sync.ending"

// UntilEnding returns a context that ends with the given one, or when the pod's preStop hook says that Kong is about to
// end. A file that is older than Kong's master process is from an earlier container of the pod and has no effect.
func UntilEnding(ctx context.Context, prefix string) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		ticker := time.NewTicker(turnEvery)
		defer ticker.Stop()
		for !ending(prefix) {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return ctx
}

func ending(prefix string) bool {
	told, err := os.Stat(filepath.Join(prefix, endingFile))
	if err != nil {
		return false
	}
	// nginx writes the file once, before it starts workers, and removes it when it ends.
	kong, err := os.Stat(filepath.Join(prefix, "pids", "nginx.pid"))
	return err != nil || !told.ModTime().Before(kong.ModTime())
}
