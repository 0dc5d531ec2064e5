package suite

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

var outcomes = flag.String("outcomes", "", "file for the outcomes of all tests, and the profiles (JSON)")

// record is what package conformance reads.
type record struct {
	Profiles []profile
	Tests    []test
}

type profile struct {
	Name           string
	Core, Extended []features.FeatureName
}

type test struct {
	Name        string
	Features    []features.FeatureName
	Provisional bool
	Outcome     string // "passed", "failed" or "skipped"
}

func TestConformance(t *testing.T) {
	var (
		mu  sync.Mutex
		all record
	)
	options := conformance.DefaultOptions(t)
	options.Hook = func(t *testing.T, ran suite.ConformanceTest, _ *suite.ConformanceTestSuite) {
		outcome := "passed"
		switch {
		case t.Failed():
			outcome = "failed"
		case t.Skipped():
			outcome = "skipped"
		}
		fmt.Printf("=== OUTCOME %s: %s\n", outcome, ran.ShortName) // go test says it only in the end
		mu.Lock()
		defer mu.Unlock()
		all.Tests = append(all.Tests, test{ran.ShortName, ran.Features, ran.Provisional, outcome})
	}
	for _, p := range []suite.ConformanceProfile{
		suite.GatewayHTTPConformanceProfile, suite.GatewayGRPCConformanceProfile, suite.GatewayTLSConformanceProfile,
		suite.GatewayTCPConformanceProfile, suite.GatewayUDPConformanceProfile,
	} {
		all.Profiles = append(all.Profiles,
			profile{string(p.Name), sets.List(p.CoreFeatures), sets.List(p.ExtendedFeatures)})
	}
	if *outcomes != "" {
		t.Cleanup(func() {
			written, err := json.MarshalIndent(all, "", "  ")
			if err == nil {
				err = os.WriteFile(*outcomes, written, 0o644)
			}
			if err != nil {
				t.Errorf("write the outcomes: %v", err)
			}
		})
	}
	conformance.RunConformanceWithOptions(t, options)
}
