package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// waitReady waits for kube-sync to say that the first configuration is in effect.
func waitReady(ctx context.Context, o *options, g *gateway) error {
	deadline := time.Now().Add(readyTime)
	for {
		err := ready(ctx, o)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kube-sync was not ready within %s: %w", readyTime, err)
		}
		if err := pause(ctx, g, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// ready returns why kube-sync is not ready, or nil.
func ready(ctx context.Context, o *options) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	url := "http://" + o.health.address() + "/readyz"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
	}
	return err
}

// follow prints every change of the configuration, and what kube-sync logs about the manifests.
func follow(ctx context.Context, o *options, g *gateway) error {
	client := kongtest.Admin(o.adminSocket())
	last := ""
	news := &news{file: o.logFile(), out: o.out}
	if err := news.showStart(); err != nil {
		return err
	}
	for {
		hash, err := configurationHash(client)
		if err == nil && hash != last {
			if last != "" {
				fmt.Fprintf(o.out, "%s  the configuration changed (%.8s → %.8s)\n", time.Now().Format(time.TimeOnly), last, hash)
			}
			last = hash
		}
		if err := news.show(); err != nil {
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

// pause waits until the time is over, or the context or the gateway ends.
func pause(ctx context.Context, g *gateway, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-g.Done():
		return errors.Join(errors.New("the gateway ended by itself"), g.Err())
	case <-time.After(d):
		return nil
	}
}
