package report

import (
	"context"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// statusPatcher writes statuses.
type statusPatcher interface {
	// PatchStatus merges a status into that of an object. It fails with a conflict unless the
	// object has the version.
	PatchStatus(ctx context.Context, key unit.Key, version string, status any) error
}

// statusWrites writes statuses, logs what failed, and tells of each attempt.
type statusWrites struct {
	log     *slog.Logger
	written func(StatusWrite)
}

// patch merges a status into that of an object. change is that of the report with the status.
func (w statusWrites) patch(ctx context.Context, to statusPatcher, key unit.Key, version string, change uint64, status any) error {
	began := time.Now()
	err := to.PatchStatus(ctx, key, version, status)
	if apierrors.IsNotFound(err) || err != nil && ctx.Err() != nil {
		return err // there was nothing to write to, or the Lease was lost
	}
	w.written(StatusWrite{Object: key, Change: change, Began: began, Err: err, Stale: apierrors.IsConflict(err)})
	if err == nil {
		w.log.Debug("wrote a status", "object", key.String(), "change", change, "took", time.Since(began))
	}
	return err
}

// failed logs a failed write and reports whether to try again.
func (w statusWrites) failed(key unit.Key, change uint64, err error) (again bool) {
	switch {
	case apierrors.IsNotFound(err):
		return false
	case apierrors.IsConflict(err):
		return true // the cache is behind
	}
	w.log.Warn("cannot write a status", "object", key.String(), "change", change, "error", err)
	return !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err)
}
