package report

import (
	"context"
	"log/slog"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// statusPatcher writes statuses.
type statusPatcher interface {
	// PatchStatus merges a status into that of an object. It fails with a conflict unless the
	// object has the version.
	PatchStatus(ctx context.Context, key unit.Key, version string, status any) error
}

// statusFailed logs a failed write and reports whether to try again.
func statusFailed(log *slog.Logger, key unit.Key, err error) (again bool) {
	switch {
	case apierrors.IsNotFound(err):
		return false
	case apierrors.IsConflict(err):
		return true // the cache is behind
	}
	log.Warn("cannot write a status", "object", key.String(), "error", err)
	return !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err)
}
