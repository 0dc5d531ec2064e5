package definitions

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
)

// The bundles. Gateway API's standard channel has all kinds that the gateway reads. The
// experimental channel has additional fields, such as retries and sessions.
const (
	GatewayAPI             = "gateway-api"
	GatewayAPIExperimental = "gateway-api-experimental"
	Kong                   = "kong"
)

// Each bundle is a stream of YAML documents, compressed.
//
//go:generate go run ./generate
//go:embed *.yaml.gz
var bundles embed.FS

// YAML returns the manifests of a bundle.
func YAML(bundle string) ([]byte, error) {
	packed, err := bundles.ReadFile(bundle + ".yaml.gz")
	if err != nil {
		return nil, fmt.Errorf("there are no definitions %q", bundle)
	}
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("definitions %s: %w", bundle, err)
	}
	return io.ReadAll(plain)
}
