package bench

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// pair is a certificate with its key, in PEM.
type pair struct {
	serial    string
	cert, key []byte
}

func newPair(host string) pair {
	made := testcert.SelfSigned(host)
	return pair{serial: made.Certificate.SerialNumber.String(), cert: []byte(made.CertPEM()), key: []byte(made.KeyPEM())}
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

// merge returns a merge patch of values that can always be encoded.
func merge(change map[string]any) []byte {
	patch, err := json.Marshal(change)
	if err != nil {
		panic("encode a patch: " + err.Error())
	}
	return patch
}
