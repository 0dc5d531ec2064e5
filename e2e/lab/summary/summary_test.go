package summary_test

import (
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab/summary"
)

func TestSummary(t *testing.T) {
	for written, want := range map[string]string{
		"":             "End-to-end tests met no gateway at all: none of them ran, see above.",
		"gateway: A\n": "End-to-end tests ran against A; nothing was left out.",
		"gateway: A\nskipped: TestOne: no B\nskipped: TestTwo: no C\nskipped: TestThree: no B\ngateway: D\n": "End-to-end tests ran " +
			"against A and D; left out: TestOne, TestThree (no B); TestTwo (no C).",
	} {
		if got := summary.Of(written); got != want {
			t.Errorf("summary of %q:\n%s\nwant:\n%s", written, got, want)
		}
	}
}
