package main

import (
	"context"
	"os/exec"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// image is the image that "make image" builds.
const image = "kong-kube-sync:dev"

// choice is which gateway the demo starts, and why.
type choice struct {
	kind gatewayKind
	why  string
	// hint says how to get the real Kong; "" if this is it.
	hint string
}

type gatewayKind int

const (
	standInGateway gatewayKind = iota
	installedKong
	imageOfKong
)

func (c choice) runsKong() bool { return c.kind != standInGateway }

// choose chooses the Kong on PATH, then the image if it is built, then the stand-in. It does not build the
// image, which downloads Kong and takes minutes. docker runs a command of Docker and returns its output.
func choose(standIn bool, docker func(args ...string) (string, error)) choice {
	const buildIt = "For the real Kong, build its image with \"make image\" and run this again."
	if standIn {
		return choice{why: "-stand-in asks for it"}
	}
	if kongtest.Installed() {
		return choice{kind: installedKong}
	}
	engine, err := docker("info", "--format", "{{.OperatingSystem}} {{.SecurityOptions}}")
	switch {
	case err != nil:
		return choice{why: "no kong is on PATH", hint: "For the real Kong, install Kong 3.9, or Docker and its image with \"make image\"."}
	case strings.Contains(engine, "Docker Desktop"), strings.Contains(engine, "name=rootless"):
		// Their containers have another loopback than the backends.
		return choice{why: "no kong is on PATH, and this Docker does not share the network of the machine with containers",
			hint: "For the real Kong, install Kong 3.9."}
	}
	if _, err := docker("image", "inspect", image); err != nil {
		return choice{why: "no kong is on PATH and Docker has no image " + image, hint: buildIt}
	}
	return choice{kind: imageOfKong}
}

// docker runs a command of Docker.
func docker(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, "docker", args...).Output()
	return string(output), err
}
