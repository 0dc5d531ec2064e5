package conformance

import (
	"flag"
	"os"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

var (
	official = flag.Bool("official", false, "run the official suite; without it TestConformance is skipped")
	run      = flag.String("run", "", "regular expression of the suite's tests to run; nothing is reported then")
	also     = flag.String("also", "", "features to test though they are not claimed, with commas, or \"all\"; nothing is reported then")
	quick    = flag.Bool("quick", false, "give a test up sooner than the suite does; nothing is reported then")
	version  = flag.String("version", "dev", "of kube-sync, for the report")
	out      = flag.String("out", "../results", "directory for the report")
)

// What the suite is, and what its manifests run.
var (
	suite = lab.Program{
		Image: "gateway-api/conformance", Package: ".", Dir: "conformance/suite", Tests: true, Cached: true,
	}
	images = []lab.Program{lab.EchoBasic, lab.CoreDNS}
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !*official {
		os.Exit(m.Run()) // nothing is built
	}
	lab.Main(m, append(append(pod.Programs, suite), images...)...)
}
