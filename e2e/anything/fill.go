package anything

import (
	"encoding/json"
	"reflect"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxDepth bounds types that contain themselves.
const maxDepth = 12

// fill sets a value of any type.
func (d *draw) fill(v reflect.Value, depth int) {
	if depth > maxDepth || d.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if d.below(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			d.fill(v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				d.fill(v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		d.fillSlice(v, depth)
	case reflect.Map:
		d.fillMap(v, depth)
	case reflect.String:
		v.SetString(d.textOf(v.Type()))
	case reflect.Bool:
		v.SetBool(d.below(2) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(d.number())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(d.number()) / 3)
	}
}

// special fills types with a format of their own.
func (d *draw) special(v reflect.Value) bool {
	switch special := v.Addr().Interface().(type) {
	case *metav1.TypeMeta, *metav1.ObjectMeta, *metav1.OwnerReference:
	case *metav1.Time:
		special.Time = time.Unix(int64(2000000000+d.below(3)), 0).UTC()
	case *metav1.Duration:
		special.Duration = time.Duration(d.number())
	case *apiextensionsv1.JSON:
		special.Raw = d.json()
	default:
		return false
	}
	return true
}

func (d *draw) fillSlice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(d.bytes())
		return
	}
	n := pick(d, 1, 1, 2, 0, 3)
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		d.fill(v.Index(i), depth+1)
	}
}

func (d *draw) fillMap(v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	for range d.below(3) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.fill(key, depth+1)
		d.fill(value, depth+1)
		v.SetMapIndex(key, value)
	}
}

// bytes returns a string, or a value in some format.
func (d *draw) bytes() []byte {
	switch d.below(4) {
	case 2:
		return d.json()
	case 3:
		return pick(d, certificates...)
	}
	return []byte(d.text())
}

// json returns JSON in nearly all cases: the configuration of a plugin, or a random object.
func (d *draw) json() []byte {
	switch d.below(6) {
	case 0:
		return []byte(pick(d, configs...))
	case 1:
		return []byte(d.text())
	case 2:
		return nil
	}
	encoded, err := json.Marshal(d.tree(0))
	if err != nil {
		return nil // no JSON has such numbers
	}
	return encoded
}

// configs are configurations of plugins.
var configs = []string{
	`{}`, `{"minute":5,"policy":"local"}`, `{"minute":0}`, `{"status_code":418,"message":"tea"}`, `{"allow":["10.0.0.0/8"]}`,
	`{"deny":"x"}`, `{"key_names":["a","b"],"hide_credentials":true}`, `{"key_names":{}}`, `{"add":{"headers":["a:b"]}}`,
	`{"replace":{"uri":"/$(uri_captures[1])"}}`, `{"access":["error(1)"]}`, `{"custom_fields_by_lua":{"a":"return 1"}}`,
	`{"http_endpoint":"{vault://env/x}"}`, `{"http_endpoint":"http://192.0.2.1"}`, `{"prefix":"P"}`, `[]`, `null`, `"x"`, `{"a":1e999}`, `{`,
}

var fields = []string{"id", "name", "config", "minute", "policy", "key_names", "headers", "add", "service", "route", "consumer",
	"tags", "key", "username", "prefix", "set", "x_by_lua", "status_code", "message", "allow", "enabled", "0", "-", ""}

func (d *draw) tree(depth int) any {
	kind := d.below(8)
	if depth > 3 {
		kind %= 5
	}
	switch kind {
	case 0:
		return d.number()
	case 1:
		return d.below(2) == 1
	case 2:
		return nil
	case 5:
		list := []any{}
		for range d.below(4) {
			list = append(list, d.tree(depth+1))
		}
		return list
	case 6, 7:
		object := map[string]any{}
		for range 1 + d.below(4) {
			object[pick(d, fields...)] = d.tree(depth + 1)
		}
		return object
	}
	return d.text()
}
