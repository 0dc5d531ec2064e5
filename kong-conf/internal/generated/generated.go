// Package generated generates files of kong-conf from their sources: manifests from the chart, the schema and the page of
// the chart from its values and kube-sync's settings, the page of the
// inventory, and the dashboards.
package generated

import (
	"path"

	"github.com/kube-sync/kube-sync/kong-conf/internal/dashboards"
)

// files are the contents of generated files by their paths in kong-conf.
type files map[string]string

// Files returns the contents of all generated files by their paths in kong-conf. That has to be the working directory.
func Files() (map[string]string, error) {
	f := files{}
	for _, add := range []func() error{f.manifestFiles, f.chartFiles, f.inventoryFile, f.dashboardFiles} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f files) dashboardFiles() error {
	boards, err := dashboards.Files()
	for name, content := range boards {
		f[path.Join("chart/files/dashboards", name)] = content
	}
	return err
}
