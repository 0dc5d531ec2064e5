package standin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

const (
	// respawnDelay is the least time between two starts of a plugin server.
	respawnDelay = time.Second
	// stopTime is how long a plugin server may take to end. Kong waits without a limit.
	stopTime = 10 * time.Second
	// lineLimit is about the length at which nginx cuts lines of its log.
	lineLimit = 4096
)

func (g *Gateway) startPluginServers() {
	ctx, cancel := context.WithCancel(context.Background())
	g.stopPlugins = cancel
	for _, p := range g.settings.PluginServers() {
		g.pluginServers.Go(func() { g.keepRunning(ctx, p) })
	}
}

// keepRunning runs the plugin server until the context ends. It starts it again whenever it has ended.
func (g *Gateway) keepRunning(ctx context.Context, p settings.PluginServer) {
	log := g.log.With("pluginserver", p.Name)
	for ctx.Err() == nil {
		next := time.After(respawnDelay)
		log.Info("starting plugin server")
		err := run(ctx, p, log)
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 127 {
			log.Error("plugin server's start command not found", "command", p.StartCommand)
		} else if ctx.Err() == nil {
			log.Warn("plugin server terminated", "error", err)
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
	}
}

// run runs the plugin server once, as Kong's worker does: through a shell that it replaces, with almost no environment,
// and with its output in the gateway's log. It returns why the plugin server has ended.
func run(ctx context.Context, p settings.PluginServer, log *slog.Logger) error {
	output, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("plugin server %s: %w", p.Name, err)
	}
	defer output.Close()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "exec "+p.StartCommand)
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = writer, writer
	// Signals from the terminal are for the gateway, which then ends its children.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTime
	input, err := cmd.StdinPipe()
	if err != nil {
		writer.Close()
		return fmt.Errorf("plugin server %s: %w", p.Name, err)
	}
	defer input.Close()
	err = cmd.Start()
	writer.Close()
	if err != nil {
		return fmt.Errorf("plugin server %s: %w", p.Name, err)
	}
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		logLines(output, fmt.Sprintf("[%s:%d] ", p.Name, cmd.Process.Pid), log)
	}()
	err = cmd.Wait()
	// A child of the plugin server may hold the pipe open.
	_ = output.SetReadDeadline(time.Now().Add(time.Second))
	<-logged
	if err != nil {
		return fmt.Errorf("plugin server %s: %w", p.Name, err)
	}
	return fmt.Errorf("plugin server %s: ended by itself, with exit status 0", p.Name)
}

// environment is what nginx keeps of the environment.
func environment() []string {
	env := []string{}
	if zone, ok := os.LookupEnv("TZ"); ok {
		env = append(env, "TZ="+zone)
	}
	if dir, err := os.Getwd(); err == nil {
		env = append(env, "PWD="+dir)
	}
	return env
}

func logLines(output *os.File, prefix string, log *slog.Logger) {
	r := bufio.NewReaderSize(output, lineLimit)
	for {
		line, _, err := r.ReadLine() // what is longer comes as several lines
		if text := strings.TrimSpace(string(line)); text != "" {
			log.Info("plugin server says", "line", prefix+text)
		}
		if err != nil {
			return
		}
	}
}
