package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// waitReady waits for kube-sync to say that the first configuration is in effect.
func waitReady(ctx context.Context, o *options, g *gateway) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime,
		fmt.Errorf("http://%s/readyz was not 200 within %s", o.health.address(), readyTime))
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	for {
		resp, err := client.Get("http://" + o.health.address() + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := pause(ctx, g, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// follow tells of every change of the configuration, and what kube-sync warns of.
func follow(ctx context.Context, o *options, g *gateway) error {
	client := &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", o.adminSocket())
		}},
	}
	last := ""
	warnings := &warnings{file: o.logFile()}
	if err := warnings.skip(); err != nil {
		return err
	}
	for {
		hash, err := configurationHash(client)
		if err == nil && hash != last {
			if last != "" {
				fmt.Printf("%s  the configuration changed (%.8s → %.8s)\n", time.Now().Format(time.TimeOnly), last, hash)
			}
			last = hash
		}
		if err := warnings.show(); err != nil {
			return err
		}
		if err := pause(ctx, g, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

func configurationHash(client *http.Client) (string, error) {
	resp, err := client.Get("http://admin/status")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var status struct {
		Hash string `json:"configuration_hash"`
	}
	err = json.NewDecoder(resp.Body).Decode(&status)
	return status.Hash, err
}

// pause waits, unless the context or the gateway ends.
func pause(ctx context.Context, g *gateway, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-g.ended:
		return errors.Join(errors.New("the gateway ended by itself"), g.err)
	case <-time.After(d):
		return nil
	}
}
