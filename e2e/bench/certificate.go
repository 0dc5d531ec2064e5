package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pair is a certificate with its key, in PEM.
type pair struct {
	serial    string
	cert, key []byte
}

func newPair(host string) (pair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return pair{}, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return pair{}, err
	}
	return pair{
		serial: serial.String(),
		cert:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	}, nil
}

func (p pair) data() map[string][]byte {
	return map[string][]byte{corev1.TLSCertKey: p.cert, corev1.TLSPrivateKeyKey: p.key}
}

func (w *world) secret(ctx context.Context, name string, p pair) error {
	_, err := w.api.CoreV1().Secrets(w.namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeTLS, Data: p.data(),
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make Secret %s: %w", name, err)
	}
	return nil
}

func (w *world) changeSecret(ctx context.Context, name string, p pair) error {
	patch := merge(map[string]any{"data": p.data()})
	_, err := w.api.CoreV1().Secrets(w.namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("change Secret %s: %w", name, err)
	}
	return nil
}

// merge is a merge patch. What it is made of can always be encoded.
func merge(change map[string]any) []byte {
	patch, err := json.Marshal(change)
	if err != nil {
		panic("encode a patch: " + err.Error())
	}
	return patch
}
