// Package generated generates files of kong-conf from their sources: manifests from the chart, the schema and the page of
// the chart from its values and kube-sync's settings, and the page of the inventory.
package generated

// files are the contents of generated files by their paths in kong-conf.
type files map[string]string

// Files returns the contents of all generated files by their paths in kong-conf. That has to be the working directory.
func Files() (map[string]string, error) {
	f := files{}
	for _, add := range []func() error{f.manifestFiles, f.chartFiles, f.inventoryFile} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return f, nil
}
