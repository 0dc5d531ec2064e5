package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// up runs until it is asked to end. All components are started by the calling goroutine, which is on the main thread.
func up(args []string, stdin io.Reader, stdout io.Writer) error {
	c, foreground, err := parse(args)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	commands := make(chan string, 16)
	if foreground {
		go func() {
			defer cancel()
			scanner := bufio.NewScanner(stdin)
			for scanner.Scan() {
				commands <- scanner.Text()
			}
		}()
	}
	if err := c.prepare(); err != nil {
		return err
	}
	defer c.stop()
	if err := c.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	fmt.Fprintln(stdout, c.kubeconfigFile("admin"))
	for {
		select {
		case <-ctx.Done():
			return nil
		case ended := <-c.exits:
			if ended.component.run == ended {
				ended.component.run = nil
				return ended.failure()
			}
		case command := <-commands:
			answer := "ok " + command
			if err := c.obey(ctx, command); err != nil {
				answer = fmt.Sprintf("error %s: %s", command, strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			fmt.Fprintln(stdout, answer)
		}
	}
}

func parse(args []string) (*cluster, bool, error) {
	c := &cluster{}
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&c.dir, "dir", "", "directory for data, certificates, logs and kubeconfig")
	foreground := flags.Bool("foreground", false, "take commands from standard input, and end when it is closed")
	flags.StringVar(&c.bindAddress, "bind-address", "127.0.0.1", "address the API server listens on")
	flags.StringVar(&c.advertiseAddress, "advertise-address", "127.0.0.1",
		"further address the API server is reached at; its certificate names it")
	flags.StringVar(&c.memoryLimit, "memory-limit", "1GiB", "heap of a component at which garbage is collected")
	list := flags.String("controllers", strings.Join(controllers, ","), "the controllers to run")
	if err := flags.Parse(args); err != nil {
		return nil, false, err
	}
	if c.dir == "" || flags.NArg() > 0 {
		return nil, false, errors.New(usage)
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return nil, false, fmt.Errorf("directory %s: %w", c.dir, err)
	}
	c.dir, c.controllers = dir, strings.Split(*list, ",")
	return c, *foreground, nil
}

// obey carries out one line of standard input.
func (c *cluster) obey(ctx context.Context, command string) error {
	verb, name, _ := strings.Cut(command, " ")
	component, err := c.component(name)
	if err != nil {
		return err
	}
	switch verb {
	case "stop":
		return component.stop(syscall.SIGTERM)
	case "kill":
		return component.stop(syscall.SIGKILL)
	case "start":
		if err := component.start(); err != nil {
			return err
		}
		return component.waitReady(ctx)
	default:
		return fmt.Errorf("no command is called %q", verb)
	}
}
