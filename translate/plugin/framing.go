package plugin

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// framing warns about headers that a transformer cannot change because they depend on the body: the
// plugin kube-sync-request keeps them.
func (s source) framing(config json.RawMessage) []unit.Verdict {
	if s.name != "request-transformer" && s.name != "response-transformer" {
		return nil
	}
	var tree map[string]json.RawMessage
	_ = json.Unmarshal(config, &tree)
	var verdicts []unit.Verdict
	for _, change := range []string{"remove", "rename", "replace", "add", "append"} {
		var c struct{ Headers []string }
		if json.Unmarshal(tree[change], &c) != nil {
			continue // Kong refuses it
		}
		for i, header := range c.Headers {
			for name := range strings.SplitSeq(header, ":") {
				name = strings.TrimSpace(name)
				if strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") {
					verdicts = append(verdicts, unit.Warning(s.key, condition.ReasonFieldIgnored,
						fmt.Sprintf("config.%s.headers[%d] has no effect: the header %s depends on the body", change, i, name)).At(s.written(configField.Child(change, "headers").Index(i))))
				}
				if change != "rename" {
					break // the rest is the value
				}
			}
		}
	}
	return verdicts
}
