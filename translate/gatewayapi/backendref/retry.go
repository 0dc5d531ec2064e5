package backendref

import (
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

// defaultAttempts is the number of retries of a rule whose retry names none.
const defaultAttempts = 1

// retryOf reads when and how often requests are retried.
func retryOf(r *gatewayv1.HTTPRouteRetry) (*route.Retry, error) {
	retry := &route.Retry{Attempts: ptr.Deref(r.Attempts, defaultAttempts)}
	for _, code := range r.Codes {
		retry.Codes = append(retry.Codes, int(code))
	}
	backoff, err := duration("retry.backoff", r.Backoff)
	retry.Backoff = backoff
	return retry, err
}
