package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// auditPolicy records what the pods' service accounts ask for, without any content. The control plane's own accounts,
// the administrator and everything else would only fill the log. A watch is recorded when it starts: it may not end
// before the API server does.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  userGroups: ["system:serviceaccounts:kube-system"]
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
`

// auditLog is the file to which the API server writes an event of audit.k8s.io/v1 a line.
func (c *cluster) auditLog() string { return filepath.Join(c.dir, "audit.log") }

func (c *cluster) auditPolicyFile() string { return filepath.Join(c.dir, "audit-policy.yaml") }

func (c *cluster) writeAuditPolicy() error {
	if err := os.WriteFile(c.auditPolicyFile(), []byte(auditPolicy), 0o600); err != nil {
		return fmt.Errorf("write the audit policy: %w", err)
	}
	return nil
}
