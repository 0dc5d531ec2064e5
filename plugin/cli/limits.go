package cli

import (
	"flag"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/limit"
)

// limitFlags adds the bounds on what objects make.
func limitFlags(f *flag.FlagSet, l *limit.Limits) {
	for _, row := range limit.Table {
		f.Func(settings.Setting{Name: row.Setting}.Flag(), row.Doc, func(value string) (err error) {
			*row.Field(l), err = settings.ParseLimit(value)
			return err
		})
	}
}
