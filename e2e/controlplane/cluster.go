package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A cluster is the control plane of one directory.
type cluster struct {
	dir              string
	existing         bool // etcd has data from earlier
	bindAddress      string
	advertiseAddress string
	controllers      []string
	memoryLimit      string
	ports            ports
	pki              *pki
	components       []*component  // in the order of their start
	exits            chan *process // every end of a component's process
}

// prepare makes what the components read at their start.
func (c *cluster) prepare() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	_, err := os.Stat(filepath.Join(c.dir, nameEtcd))
	c.existing = err == nil
	if c.ports, err = freePorts(); err != nil {
		return err
	}
	if c.pki, err = newPKI(filepath.Join(c.dir, "pki")); err != nil {
		return err
	}
	err = errors.Join(
		c.pki.keyPair("service-account"),
		c.pki.server(nameEtcd, "127.0.0.1"),
		c.pki.client("etcd-client", "kube-apiserver-etcd-client"),
		c.pki.client("kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
		c.pki.server(nameAPIServer, "127.0.0.1", "localhost", c.advertiseAddress, kubernetesIP,
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"),
		c.pki.server(nameControllerManager, "127.0.0.1"),
		c.pki.client("admin", "admin", "system:masters"),
		c.pki.client("controller-manager-client", "system:kube-controller-manager"),
	)
	if err != nil {
		return err
	}
	if err := c.writeKubeconfig(nameControllerManager, "controller-manager-client"); err != nil {
		return err
	}
	if err := c.writeKubeconfig("admin", "admin"); err != nil {
		return err
	}
	if err := c.writeAuditPolicy(); err != nil {
		return err
	}
	return c.makeComponents()
}

func (c *cluster) makeComponents() error {
	client, err := c.httpClient()
	if err != nil {
		return err
	}
	// Garbage is collected only where the limit is reached: a start takes a sixth less time.
	memory := []string{"GOGC=off", "GOMEMLIMIT=" + c.memoryLimit}
	c.exits = make(chan *process, 16)
	add := func(name string, flags []string, readyURL string) {
		c.components = append(c.components, &component{
			name: name, flags: flags, env: memory, logDir: c.dir, exits: c.exits,
			ready: func(ctx context.Context) error { return get(ctx, client, readyURL) },
		})
	}
	add(nameEtcd, c.etcdFlags(), c.etcdURL()+"/health")
	add(nameAPIServer, c.apiServerFlags(), loopbackURL("https", c.ports.apiServer)+"/readyz")
	add(nameControllerManager, c.controllerManagerFlags(), loopbackURL("https", c.ports.controllerManager)+"/healthz")
	return nil
}

// start brings all components up and waits for the controllers' first work. etcd and the API server start at once.
func (c *cluster) start(ctx context.Context) error {
	for _, component := range c.components[:2] {
		if err := component.start(); err != nil {
			return err
		}
	}
	if err := c.components[1].waitReady(ctx); err != nil {
		return err
	}
	if err := c.components[2].start(); err != nil {
		return err
	}
	if err := c.components[2].waitReady(ctx); err != nil {
		return err
	}
	return c.waitForDefaultServiceAccount(ctx)
}

// waitForDefaultServiceAccount: before it exists no pod is admitted.
func (c *cluster) waitForDefaultServiceAccount(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfigFile("admin"))
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for ServiceAccount default/default: %w", err)
		case <-time.After(readyInterval):
		}
	}
}

// stop ends the components, the last started first.
func (c *cluster) stop() {
	for i := len(c.components) - 1; i >= 0; i-- {
		if c.components[i].run != nil {
			_ = c.components[i].stop(syscall.SIGTERM)
		}
	}
}

func (c *cluster) component(name string) (*component, error) {
	for _, component := range c.components {
		if component.name == name {
			return component, nil
		}
	}
	return nil, fmt.Errorf("no component is called %q", name)
}

// kubeconfigFile is DIR/kubeconfig for the administrator; other users' are beside the certificates.
func (c *cluster) kubeconfigFile(name string) string {
	if name == "admin" {
		return filepath.Join(c.dir, "kubeconfig")
	}
	return c.pki.file(name + ".kubeconfig")
}

// writeKubeconfig holds the certificates themselves, so that the file can be handed around.
func (c *cluster) writeKubeconfig(name, certificate string) error {
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			panic("a certificate written a moment ago cannot be read: " + err.Error())
		}
		return data
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["e2e"] = &clientcmdapi.Cluster{
		Server:                   loopbackURL("https", c.ports.apiServer),
		CertificateAuthorityData: read(c.pki.certFile("ca")),
	}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: read(c.pki.certFile(certificate)),
		ClientKeyData:         read(c.pki.keyFile(certificate)),
	}
	config.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: name}
	config.CurrentContext = "e2e"
	if err := clientcmd.WriteToFile(*config, c.kubeconfigFile(name)); err != nil {
		return fmt.Errorf("write the kubeconfig of %s: %w", name, err)
	}
	return nil
}

// httpClient asks components for their health; etcd wants a certificate for that.
func (c *cluster) httpClient() (*http.Client, error) {
	cert, err := tls.LoadX509KeyPair(c.pki.certFile("etcd-client"), c.pki.keyFile("etcd-client"))
	if err != nil {
		return nil, fmt.Errorf("read the health client's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.pki.cert)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
		DisableKeepAlives: true, // else the answer may be that of a process that has ended
	}}, nil
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return nil
}
