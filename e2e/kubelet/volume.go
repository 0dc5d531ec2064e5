package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A file is a file of a volume.
type file struct {
	path string // in the volume
	data []byte
	mode os.FileMode
}

const defaultFileMode = 0o644

// makeVolumes creates a directory for each of the pod's volumes. It can be called again.
func (p *pod) makeVolumes(ctx context.Context) error {
	for _, volume := range p.bound.Spec.Volumes {
		files, err := p.volumeFiles(ctx, volume)
		if err == nil {
			err = writeFiles(p.volumeDir(volume.Name), files)
		}
		if err != nil {
			return fmt.Errorf("volume %s: %w", volume.Name, err)
		}
	}
	return nil
}

func (p *pod) volumeDir(name string) string { return filepath.Join(p.dir(), "volumes", name) }

func (p *pod) volumeFiles(ctx context.Context, volume corev1.Volume) ([]file, error) {
	switch {
	case volume.EmptyDir != nil:
		return nil, nil
	case volume.Secret != nil:
		s := volume.Secret
		data, err := p.secret(ctx, s.SecretName, s.Optional)
		return project(data, err, s.Items, s.DefaultMode, isTrue(s.Optional))
	case volume.ConfigMap != nil:
		m := volume.ConfigMap
		data, err := p.configMap(ctx, m.Name, m.Optional)
		return project(data, err, m.Items, m.DefaultMode, isTrue(m.Optional))
	case volume.DownwardAPI != nil:
		return p.downwardFiles(volume.DownwardAPI.Items, volume.DownwardAPI.DefaultMode)
	case volume.Projected != nil:
		var files []file
		for _, source := range volume.Projected.Sources {
			more, err := p.projectedFiles(ctx, source, volume.Projected.DefaultMode)
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
		return files, nil
	default:
		return nil, errors.New("its type is not supported")
	}
}

func (p *pod) projectedFiles(ctx context.Context, source corev1.VolumeProjection, mode *int32) ([]file, error) {
	switch {
	case source.Secret != nil:
		data, err := p.secret(ctx, source.Secret.Name, source.Secret.Optional)
		return project(data, err, source.Secret.Items, mode, isTrue(source.Secret.Optional))
	case source.ConfigMap != nil:
		data, err := p.configMap(ctx, source.ConfigMap.Name, source.ConfigMap.Optional)
		return project(data, err, source.ConfigMap.Items, mode, isTrue(source.ConfigMap.Optional))
	case source.DownwardAPI != nil:
		return p.downwardFiles(source.DownwardAPI.Items, mode)
	case source.ServiceAccountToken != nil:
		token, err := p.token(ctx, *source.ServiceAccountToken)
		return []file{{path: source.ServiceAccountToken.Path, data: token, mode: fileMode(mode)}}, err
	default:
		return nil, errors.New("a projected source's type is not supported")
	}
}

// leastToken is the least lifetime of tokens, because they are not renewed.
const leastToken = 24 * 60 * 60

// token requests a token of the pod's ServiceAccount that is bound to the pod.
func (p *pod) token(ctx context.Context, projection corev1.ServiceAccountTokenProjection) ([]byte, error) {
	seconds := int64(leastToken)
	if projection.ExpirationSeconds != nil {
		seconds = max(seconds, *projection.ExpirationSeconds)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: p.bound.Name, UID: p.bound.UID,
		},
	}}
	if projection.Audience != "" {
		request.Spec.Audiences = []string{projection.Audience}
	}
	name := p.bound.Spec.ServiceAccountName
	made, err := p.kubelet.client.CoreV1().ServiceAccounts(p.bound.Namespace).CreateToken(
		ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("token of ServiceAccount %s: %w", name, err)
	}
	return []byte(made.Status.Token), nil
}

func (p *pod) downwardFiles(items []corev1.DownwardAPIVolumeFile, mode *int32) ([]file, error) {
	var files []file
	for _, item := range items {
		if item.FieldRef == nil {
			return nil, fmt.Errorf("file %s: only fieldRef is supported", item.Path)
		}
		value, err := p.field(item.FieldRef.FieldPath)
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", item.Path, err)
		}
		files = append(files, file{path: item.Path, data: []byte(value), mode: fileMode(mode, item.Mode)})
	}
	return files, nil
}

// project returns a file for each key, or only for the items if there are any.
func project(
	data map[string][]byte, err error, items []corev1.KeyToPath, mode *int32, optional bool,
) ([]file, error) {
	if err != nil {
		return nil, err
	}
	var files []file
	if len(items) == 0 {
		for key, value := range data {
			files = append(files, file{path: key, data: value, mode: fileMode(mode)})
		}
	}
	for _, item := range items {
		value, found := data[item.Key]
		if !found && !optional {
			return nil, fmt.Errorf("there is no key %q", item.Key)
		}
		if found {
			files = append(files, file{path: item.Path, data: value, mode: fileMode(mode, item.Mode)})
		}
	}
	return files, nil
}

// fileMode returns the last mode that is set.
func fileMode(modes ...*int32) os.FileMode {
	result := os.FileMode(defaultFileMode)
	for _, mode := range modes {
		if mode != nil {
			result = os.FileMode(*mode)
		}
	}
	return result
}

func writeFiles(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.Clean("/"+f.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.data, f.mode); err != nil {
			return err
		}
		if err := os.Chmod(path, f.mode); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}
