package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestChoice(t *testing.T) {
	for name, test := range map[string]struct {
		standIn    bool
		kong       bool
		docker     string // its script; "" for none
		want       gatewayKind
		says, hint string
	}{
		"Kong on PATH":    {kong: true, docker: "exit 0", want: installedKong},
		"stand-in wanted": {standIn: true, kong: true, docker: "exit 0", says: "-stand-in"},
		"nothing":         {says: "no kong is on PATH", hint: "make image"},
		"no engine":       {docker: "exit 1", says: "no kong is on PATH", hint: "make image"},
		"no image":        {docker: `test "$1" = info && echo Debian`, says: "no image kong-kube-sync:dev", hint: "make image"},
		"image":           {docker: `test "$1" = info && echo Debian || test "$*" = "image inspect kong-kube-sync:dev"`, want: imageOfKong},
		"rootless":        {docker: `echo 'Debian [name=seccomp,profile=builtin name=rootless]'`, says: "does not share the network", hint: "Kong 3.9"},
		"Docker Desktop":  {docker: `echo 'Docker Desktop []'`, says: "does not share the network", hint: "Kong 3.9"},
	} {
		t.Run(name, func(t *testing.T) {
			onPath(t, map[string]string{"docker": test.docker})
			if test.kong {
				onPath(t, map[string]string{"docker": test.docker, "kong": "exit 0"})
			}
			got := choose(test.standIn, docker)
			if got.kind != test.want || !strings.Contains(got.why, test.says) || !strings.Contains(got.hint, test.hint) {
				t.Errorf("chose %+v", got)
			}
			if got.runsKong() != (got.why == "") {
				t.Errorf("says why without need, or does not say it: %+v", got)
			}
		})
	}
}

// TestImageIsStarted holds what a container is told, with a script in place of Docker.
func TestImageIsStarted(t *testing.T) {
	args := filepath.Join(t.TempDir(), "args")
	onPath(t, map[string]string{"docker": `test "$1" = run || exit 0; printf '%s\n' "$@" > ` + quote(args) + `; exit 3`})
	o := testOptions(t)
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(o.logFile())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	g, err := startGateway(o, log)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.Done():
	case <-time.After(time.Minute):
		t.Fatal("the container does not end")
	}
	if !strings.Contains(g.name, image) || g.Err() == nil {
		t.Errorf("gateway %s ended with %v", g.name, g.Err())
	}
	given, err := os.ReadFile(args)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"--network\nhost\n", "--volume\n" + o.prefix() + ":" + o.prefix() + "\n", "source=" + o.manifests + ",target=/manifests\n",
		"--env\nKONG_PROXY_LISTEN=" + o.http.address(), "--env\nKONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=/manifests\n",
		"KUBE_SYNC_START_CMD=/usr/local/bin/kube-sync -kong-prefix " + o.prefix() + "\n", "\n" + image + "\n",
	} {
		if !strings.Contains(string(given), part) {
			t.Errorf("docker is not given %q:\n%s", part, given)
		}
	}
	if strings.Contains(string(given), "PATH=") || strings.Contains(string(given), o.kubeSync) {
		t.Errorf("docker is given what is of this machine:\n%s", given)
	}
}

// onPath makes PATH a directory with scripts by their names; an empty script is no file.
func onPath(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if script == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}
