package lab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Credentials are a pod's credentials of its ServiceAccount.
type Credentials struct {
	Name string // of the ServiceAccount
	Dir  string // files token, ca.crt and namespace
	Host string // of the API server, for processes in this network namespace
	Port string
}

// ServiceAccount creates a ServiceAccount if it does not exist, applies the manifests (its RBAC), and writes the
// credentials of its pods to a directory. The token is valid for a day.
func (cp *ControlPlane) ServiceAccount(t testing.TB, namespace, name, manifests string) Credentials {
	t.Helper()
	cp.MustApply(t, namespace, manifests)
	accounts := cp.Client.CoreV1().ServiceAccounts(namespace)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := accounts.Create(t.Context(), account, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("create ServiceAccount %s/%s: %v", namespace, name, err)
	}
	seconds := int64((24 * time.Hour).Seconds())
	token, err := accounts.CreateToken(t.Context(), name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("request a token of ServiceAccount %s/%s: %v", namespace, name, err)
	}
	credentials := Credentials{Name: name, Dir: t.TempDir(), Host: "127.0.0.1", Port: cp.port()}
	for file, data := range map[string][]byte{
		"token":     []byte(token.Status.Token),
		"ca.crt":    cp.Config.CAData,
		"namespace": []byte(namespace),
	} {
		if err := os.WriteFile(filepath.Join(credentials.Dir, file), data, 0o600); err != nil {
			t.Fatalf("write the credentials of ServiceAccount %s/%s: %v", namespace, name, err)
		}
	}
	return credentials
}

// Config returns client-go's configuration for the credentials, as in a pod.
func (c Credentials) Config(t testing.TB) *rest.Config {
	t.Helper()
	config := &rest.Config{
		Host:            "https://" + net.JoinHostPort(c.Host, c.Port),
		BearerTokenFile: filepath.Join(c.Dir, "token"),
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(c.Dir, "ca.crt")},
	}
	token, err := os.ReadFile(config.BearerTokenFile)
	if err != nil {
		t.Fatal(fmt.Errorf("read the ServiceAccount's token: %w", err))
	}
	config.BearerToken = string(token)
	return config
}
