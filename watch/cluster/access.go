package cluster

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// ServiceAccountDir is where Kubernetes mounts a pod's credentials.
const ServiceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// Access says how to reach an API server. The zero value is the pod's own cluster.
type Access struct {
	// Kubeconfig is the path of a kubeconfig file, for use outside of a cluster.
	Kubeconfig string
	// Server replaces the address of the API server, such as "https://10.0.0.1:6443".
	Server string
	// Dir holds the files token, ca.crt and namespace. Default [ServiceAccountDir].
	Dir string
	// UserAgent defaults to "kube-sync".
	UserAgent string
}

// RESTConfig returns the client configuration. In a pod the credentials are files, which
// client-go reads again when they rotate. It does not contact the API server.
func (a Access) RESTConfig() (*rest.Config, error) {
	config, err := a.credentials()
	if err != nil {
		return nil, err
	}
	if a.Server != "" {
		config.Host = a.Server
	}
	config.UserAgent = a.UserAgent
	if config.UserAgent == "" {
		config.UserAgent = "kube-sync"
	}
	return config, nil
}

func (a Access) credentials() (*rest.Config, error) {
	if a.Kubeconfig == "" {
		return a.pod()
	}
	config, err := clientcmd.BuildConfigFromFlags("", a.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", a.Kubeconfig, err)
	}
	return config, nil
}

// pod returns the configuration of a client in a pod. rest.InClusterConfig needs environment
// variables, which Kong does not pass on to its plugin servers.
func (a Access) pod() (*rest.Config, error) {
	token, err := os.ReadFile(a.file("token"))
	if err != nil {
		return nil, fmt.Errorf("credentials of the pod: %w", err)
	}
	if _, err := os.Stat(a.file("ca.crt")); err != nil {
		return nil, fmt.Errorf("credentials of the pod: %w", err)
	}
	config := &rest.Config{
		Host:            "https://kubernetes.default.svc",
		BearerToken:     strings.TrimSpace(string(token)),
		BearerTokenFile: a.file("token"),
		TLSClientConfig: rest.TLSClientConfig{CAFile: a.file("ca.crt")},
	}
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host != "" && port != "" {
		config.Host = "https://" + net.JoinHostPort(host, port)
	}
	return config, nil
}

func (a Access) file(name string) string {
	if a.Dir == "" {
		return filepath.Join(ServiceAccountDir, name)
	}
	return filepath.Join(a.Dir, name)
}
