package standin

import (
	"context"
	"log/slog"
	"os"

	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

// Run runs a gateway until the context ends. Its settings are those of an environment and of a
// file, unless its name is empty. It logs to standard error.
func Run(ctx context.Context, environ []string, file string) error {
	s, err := settings.Read(environ, file)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	g, err := Start(ctx, Config{Settings: s, Log: log})
	if err != nil {
		return err
	}
	for _, setting := range []string{"KONG_PROXY_LISTEN", "KONG_ADMIN_LISTEN", "KONG_NGINX_ADMIN_LISTEN", "KONG_STATUS_LISTEN"} {
		for _, a := range g.Addresses(setting) {
			log.Info("stand-in gateway listens (this is not Kong)", "setting", setting, "address", a.String())
		}
	}
	return g.Wait()
}
