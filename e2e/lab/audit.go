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

// Asked is a request of an account to the API server for a resource. Equal requests are listed once.
type Asked struct {
	Account string // "namespace/name" of a ServiceAccount
	Verb    string
	Group   string
	// Resource includes the subresource: "ingresses/status".
	Resource string
	// Allowed reports whether the request was authorized. Binding is the RBAC binding, in the API server's words.
	Allowed bool
	Binding string
}

func (a Asked) String() string {
	return fmt.Sprintf("%s: %s %s", a.Account, a.Verb, strings.TrimPrefix(a.Group+"/"+a.Resource, "/"))
}

// audited holds the requests to all control planes of the test package that have ended.
var audited struct {
	sync.Mutex
	asked map[Asked]struct{}
	check func(asked []Asked, passed bool) error
}

// CheckAudit makes Main call a function after the last test, with the requests of all the pods' ServiceAccounts and
// whether all tests passed. Its error fails the package. Call CheckAudit before Main.
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

// auditEvent has some of the fields of an event of audit.k8s.io/v1.
type auditEvent struct {
	Verb string
	User struct{ Username string }
	// ObjectRef is nil if the request is not for a resource.
	ObjectRef *struct{ APIGroup, Resource, Subresource string }
	// Annotations are the authorizer's, among others.
	Annotations map[string]string
}

// readAudit reads the audit log of a control plane that has ended.
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
