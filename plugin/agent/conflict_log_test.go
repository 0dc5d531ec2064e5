package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func TestContestsNameTheHolderOnceInTheLog(t *testing.T) {
	var out bytes.Buffer
	c := newConflictLog(slog.New(slog.NewTextHandler(&out, nil)))
	loser := unit.Key{Kind: unit.KongConsumer, Namespace: "attacker", Name: "a"}
	lost := unit.Verdict{Object: loser, Reason: "CredentialInvalid", Message: "its key cannot be used",
		Holder: unit.Key{Kind: unit.KongConsumer, Namespace: "shop", Name: "ann"}}
	said := func() int {
		return strings.Count(out.String(), `object="KongConsumer attacker/a" holder="KongConsumer shop/ann"`)
	}
	for range 3 {
		c.note(loser, []unit.Verdict{unit.Warning(loser, "Other", "x"), lost})
	}
	if said() != 1 || strings.Contains(out.String(), "Other") {
		t.Errorf("after three reports of one contest the log is:\n%s", &out)
	}
	c.note(loser, nil)
	c.note(loser, []unit.Verdict{lost})
	if said() != 2 {
		t.Errorf("a contest that is lost again is said %d times:\n%s", said(), &out)
	}
}

func TestAStormOfContestsIsCounted(t *testing.T) {
	// In a bubble no time passes, so that the limit does not refill.
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := newConflictLog(slog.New(slog.NewTextHandler(&out, nil)))
		const storm = 10_000
		for i := range storm {
			key := unit.Key{Kind: unit.Ingress, Namespace: "attacker", Name: fmt.Sprint(i)}
			c.note(key, []unit.Verdict{{Object: key, Reason: "HostConflict", Holder: unit.Key{Kind: unit.Ingress, Namespace: "shop", Name: "web"}}})
		}
		if lines := strings.Count(out.String(), "\n"); lines != conflictBurst || c.suppressed != storm-conflictBurst {
			t.Errorf("%d lines, %d not logged; want %d lines and the rest counted", lines, c.suppressed, conflictBurst)
		}
	})
}
