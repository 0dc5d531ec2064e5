package kubelet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An environment is a container's variables by name.
type environment map[string]string

func (e environment) list() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name])
	}
	return list
}

// environment returns the container's variables, and reads the objects that they refer to. A later variable overrides an
// earlier one of the same name.
func (c *container) environment(ctx context.Context, image Image) (environment, error) {
	host, port := c.pod.kubelet.apiServer()
	env := environment{
		"PATH":                          "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME":                      c.pod.hostname(),
		"KUBERNETES_SERVICE_HOST":       host,
		"KUBERNETES_SERVICE_PORT":       port,
		"KUBERNETES_SERVICE_PORT_HTTPS": port,
	}
	maps.Copy(env, image.Env)
	for _, source := range c.spec.EnvFrom {
		data, err := c.pod.envFrom(ctx, source)
		if err != nil {
			return nil, err
		}
		for name, value := range data {
			env[source.Prefix+name] = value
		}
	}
	for _, variable := range c.spec.Env {
		if variable.ValueFrom == nil {
			env[variable.Name] = expand(variable.Value, env)
			continue
		}
		value, found, err := c.pod.valueFrom(ctx, *variable.ValueFrom)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
		}
		if found {
			env[variable.Name] = value
		}
	}
	return env, nil
}

func (p *pod) envFrom(ctx context.Context, source corev1.EnvFromSource) (map[string]string, error) {
	switch {
	case source.ConfigMapRef != nil:
		return texts(p.configMap(ctx, source.ConfigMapRef.Name, source.ConfigMapRef.Optional))
	case source.SecretRef != nil:
		return texts(p.secret(ctx, source.SecretRef.Name, source.SecretRef.Optional))
	default:
		return nil, nil
	}
}

func (p *pod) valueFrom(ctx context.Context, source corev1.EnvVarSource) (value string, found bool, err error) {
	switch {
	case source.FieldRef != nil:
		value, err := p.field(source.FieldRef.FieldPath)
		return value, true, err
	case source.ConfigMapKeyRef != nil:
		ref := source.ConfigMapKeyRef
		data, err := p.configMap(ctx, ref.Name, ref.Optional)
		return keyOf(data, err, "ConfigMap "+ref.Name, ref.Key, ref.Optional)
	case source.SecretKeyRef != nil:
		ref := source.SecretKeyRef
		data, err := p.secret(ctx, ref.Name, ref.Optional)
		return keyOf(data, err, "Secret "+ref.Name, ref.Key, ref.Optional)
	default:
		return "", false, fmt.Errorf("this kind of source is not supported: %v", source)
	}
}

func keyOf(data map[string][]byte, err error, object, key string, optional *bool) (string, bool, error) {
	value, found := data[key]
	if err == nil && !found && !isTrue(optional) {
		err = fmt.Errorf("%s has no key %q", object, key)
	}
	return string(value), found, err
}

// configMap and secret return nothing for an optional object that does not exist.
func (p *pod) configMap(ctx context.Context, name string, optional *bool) (map[string][]byte, error) {
	object, err := p.kubelet.client.CoreV1().ConfigMaps(p.bound.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && isTrue(optional) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ConfigMap %s: %w", name, err)
	}
	data := maps.Clone(object.BinaryData)
	if data == nil {
		data = map[string][]byte{}
	}
	for key, value := range object.Data {
		data[key] = []byte(value)
	}
	return data, nil
}

func (p *pod) secret(ctx context.Context, name string, optional *bool) (map[string][]byte, error) {
	object, err := p.kubelet.client.CoreV1().Secrets(p.bound.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && isTrue(optional) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Secret %s: %w", name, err)
	}
	return object.Data, nil
}

// field returns a value of the downward API.
func (p *pod) field(path string) (string, error) {
	meta, spec := p.bound.ObjectMeta, p.bound.Spec
	if name, key, ok := strings.Cut(strings.TrimSuffix(path, "']"), "['"); ok {
		switch name {
		case "metadata.labels":
			return meta.Labels[key], nil
		case "metadata.annotations":
			return meta.Annotations[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return meta.Name, nil
	case "metadata.namespace":
		return meta.Namespace, nil
	case "metadata.uid":
		return string(meta.UID), nil
	case "metadata.labels":
		return lines(meta.Labels), nil
	case "metadata.annotations":
		return lines(meta.Annotations), nil
	case "spec.nodeName":
		return spec.NodeName, nil
	case "spec.serviceAccountName":
		return spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs":
		return p.ip(), nil
	case "status.hostIP", "status.hostIPs":
		return p.kubelet.options.HostIP, nil
	}
	return "", fmt.Errorf("field %q is not supported", path)
}

func lines(values map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&text, "%s=%q\n", key, values[key])
	}
	return text.String()
}

func (p *pod) hostname() string {
	if name := p.bound.Spec.Hostname; name != "" {
		return name
	}
	return p.bound.Name
}

// expand replaces $(VAR) if VAR is known. $$ stands for a $ that starts no reference.
func expand(text string, env environment) string {
	var result strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		result.WriteString(before)
		if !found {
			return result.String()
		}
		text = after
		if rest, ok := strings.CutPrefix(text, "$"); ok {
			result.WriteByte('$')
			text = rest
			continue
		}
		if rest, ok := strings.CutPrefix(text, "("); ok {
			name, rest, closed := strings.Cut(rest, ")")
			if value, known := env[name]; closed && known {
				result.WriteString(value)
				text = rest
				continue
			}
		}
		result.WriteByte('$')
	}
}

func expandAll(texts []string, env environment) []string {
	var expanded []string
	for _, text := range texts {
		expanded = append(expanded, expand(text, env))
	}
	return expanded
}

func texts(data map[string][]byte, err error) (map[string]string, error) {
	values := map[string]string{}
	for key, value := range data {
		values[key] = string(value)
	}
	return values, err
}

func isTrue(value *bool) bool { return value != nil && *value }
