package kongtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Config is how a Kong is started: as the entrypoint of its image does.
type Config struct {
	// Conf is the path of a kong.conf. If it is empty, Kong has its defaults.
	Conf   string
	Prefix string
	// Env is the environment, with Kong's settings as KONG_NAME=value. The last of several values is used.
	Env []string
	// Log receives the output of Kong's processes. If it is nil, the output is discarded.
	Log *os.File
	// Nice gives Kong a lower priority than the test.
	Nice bool
}

// Prepare writes nginx's configuration into the prefix.
func (c Config) Prepare() error {
	args := []string{"prepare", "-p", c.Prefix}
	if c.Conf != "" {
		args = append(args, "-c", c.Conf)
	}
	cmd := exec.Command("kong", args...)
	cmd.Env = c.env()
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kong prepare: %w\n%s", err, output)
	}
	return nil
}

// Check makes nginx check the configuration in a prepared prefix.
func (c Config) Check() error {
	cmd, err := c.nginx("-t")
	if err != nil {
		return err
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nginx -t: %w\n%s", err, output)
	}
	return nil
}

// Start prepares the prefix and starts Kong in the foreground. It does not wait until Kong is ready.
func (c Config) Start() (*Process, error) {
	if err := c.Prepare(); err != nil {
		return nil, err
	}
	// A killed Kong leaves its sockets.
	sockets, _ := filepath.Glob(filepath.Join(c.Prefix, "sockets", "*"))
	for _, socket := range sockets {
		if err := os.Remove(socket); err != nil {
			return nil, err
		}
	}
	cmd, err := c.nginx()
	if err != nil {
		return nil, err
	}
	if c.Log != nil {
		cmd.Stdout, cmd.Stderr = c.Log, c.Log
	}
	return Run(cmd)
}

// nginx returns the command that runs nginx in the foreground.
func (c Config) nginx(args ...string) (*exec.Cmd, error) {
	path, err := Nginx()
	if err != nil {
		return nil, err
	}
	command := append([]string{path, "-p", c.Prefix, "-c", "nginx.conf"}, args...)
	if c.Nice {
		command = append([]string{"nice"}, command...) // which nginx then replaces
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = c.env()
	return cmd, nil
}

func (c Config) env() []string { return append(slices.Clip(c.Env), "KONG_NGINX_DAEMON=off") }
