package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Health is what one of Kong's workers says about the targets of an upstream, by address:
// "HEALTHY", "UNHEALTHY", "HEALTHCHECKS_OFF" or "DNS_ERROR".
type Health map[string]string

// Health asks Kong for the health of an upstream's targets. The worker that answers knows only the
// results of its own checks.
func (a *Client) Health(ctx context.Context, upstream string) (Health, error) {
	answer, err := a.get(ctx, "/upstreams/"+url.PathEscape(upstream)+"/health?size=1000")
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, answer.failure()
	}
	var said struct {
		Data []struct{ Target, Health string }
	}
	if err := json.Unmarshal(answer.body, &said); err != nil {
		return nil, fmt.Errorf("the health of an upstream: %w", err)
	}
	health := Health{}
	for _, target := range said.Data {
		health[target.Target] = target.Health
	}
	return health, nil
}
