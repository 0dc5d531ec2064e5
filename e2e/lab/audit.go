package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Asked is what an account has asked the API server for, once however often it has. Requests for other than resources
// are not among them.
type Asked struct {
	Account string // "namespace/name" of a ServiceAccount
	Verb    string
	Group   string
	// Resource is with its subresource: "ingresses/status".
	Resource string
	// Allowed tells whether it was authorized, and Binding by which RBAC binding, as the API server puts it.
	Allowed bool
	Binding string
}

func (a Asked) String() string {
	return fmt.Sprintf("%s: %s %s", a.Account, a.Verb, strings.TrimPrefix(a.Group+"/"+a.Resource, "/"))
}

// audited is what was asked of all control planes of the test package that have ended.
var audited struct {
	sync.Mutex
	asked map[Asked]struct{}
	check func(asked []Asked, passed bool) error
}

// CheckAudit has a function called after the last test with all that the pods' ServiceAccounts have asked the control
// planes of the package for, and whether all tests passed. Its error fails the package. It is called before Main.
func CheckAudit(check func(asked []Asked, passed bool) error) { audited.check = check }

// checkAudit returns the exit code of the package.
func checkAudit(code int) int {
	audited.Lock()
	defer audited.Unlock()
	if audited.check == nil || len(audited.asked) == 0 {
		return code
	}
	asked := make([]Asked, 0, len(audited.asked))
	for a := range audited.asked {
		asked = append(asked, a)
	}
	slices.SortFunc(asked, func(a, b Asked) int { return strings.Compare(a.String(), b.String()) })
	if err := audited.check(asked, code == 0); err != nil {
		fmt.Fprintf(os.Stderr, "lab: what was asked of the API server:\n%v\n", err)
		return max(code, 1)
	}
	return code
}

// auditEvent is what is read of an event of audit.k8s.io/v1.
type auditEvent struct {
	Verb string
	User struct{ Username string }
	// ObjectRef is nil for what is no resource.
	ObjectRef *struct{ APIGroup, Resource, Subresource string }
	// Annotations are the authorizer's, among others.
	Annotations map[string]string
}

// readAudit takes the control plane's log into account, at its end.
func (cp *ControlPlane) readAudit() error {
	file, err := os.Open(filepath.Join(cp.Dir, "audit.log"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has not started
	}
	if err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	defer file.Close()
	audited.Lock()
	defer audited.Unlock()
	if audited.asked == nil {
		audited.asked = map[Asked]struct{}{}
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditEvent
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		account, ok := strings.CutPrefix(event.User.Username, "system:serviceaccount:")
		if !ok || event.ObjectRef == nil || event.ObjectRef.Resource == "" {
			continue
		}
		resource := event.ObjectRef.Resource
		if event.ObjectRef.Subresource != "" {
			resource += "/" + event.ObjectRef.Subresource
		}
		audited.asked[Asked{
			Account: strings.Replace(account, ":", "/", 1), Verb: event.Verb, Group: event.ObjectRef.APIGroup, Resource: resource,
			Allowed: event.Annotations["authorization.k8s.io/decision"] == "allow",
			Binding: event.Annotations["authorization.k8s.io/reason"],
		}] = struct{}{}
	}
	return lines.Err()
}
