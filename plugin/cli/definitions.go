package cli

import (
	"fmt"

	"github.com/kube-sync/kube-sync/plugin/definitions"
)

// printDefinitions prints the definitions of the custom kinds, for kubectl apply --server-side -f
// -.
func printDefinitions(t terminal, args []string) error {
	f := t.flags("definitions", "[-experimental] [-only gateway-api|kong]")
	experimental := f.Bool("experimental", false, "Gateway API's experimental channel in place of the standard one: retries, sessions and other fields")
	only := f.String("only", "", "print the definitions of `gateway-api or kong` alone")
	if err := t.parse(f, args); err != nil {
		return err
	}
	bundles := []string{definitions.GatewayAPI, definitions.Kong}
	if *experimental {
		bundles[0] = definitions.GatewayAPIExperimental
	}
	switch *only {
	case "":
	case "gateway-api":
		bundles = bundles[:1]
	case "kong":
		bundles = bundles[1:]
	default:
		fmt.Fprintf(t.err, "-only=%s: want gateway-api or kong\n", *only)
		f.Usage()
		return errUsage
	}
	for _, bundle := range bundles {
		manifests, err := definitions.YAML(bundle)
		if err != nil {
			return err
		}
		if _, err := t.out.Write(manifests); err != nil {
			return err
		}
	}
	return nil
}
