package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// write writes a file in one step: a scan between two steps, such as the truncation of a file
// and its new content, would find other objects.
func write(t *testing.T, path, content string) {
	t.Helper()
	if file, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
		defer file.Close()
		info, err := file.Stat()
		watchtest.Must(t, err)
		// Overwritten in place, up to the end of the old content.
		content += strings.Repeat("\n", max(0, int(info.Size())-len(content)))
		_, err = file.WriteString(content)
		watchtest.Must(t, err)
		return
	}
	watchtest.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	file := t.TempDir() + "/new"
	watchtest.Must(t, os.WriteFile(file, []byte(content), 0o644))
	watchtest.Must(t, os.Rename(file, path))
}

// manifest is an Ingress with one host.
func manifest(name, host string) string {
	return fmt.Sprintf("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: %s, namespace: shop}\nspec: {rules: [{host: %s}]}\n", name, host)
}

// consumer is a consumer of Ingresses.
type consumer struct{ *watchtest.Consumer }

func (c consumer) host(name string) string {
	if i, ok := c.Objects[watchtest.IngressKey(name)].(*networkingv1.Ingress); ok && len(i.Spec.Rules) > 0 {
		return i.Spec.Rules[0].Host
	}
	return ""
}

func (c consumer) untilHost(name, host string) {
	c.Until(name+" has host "+host, func() bool { return c.host(name) == host })
}

func watchFiles(t *testing.T, paths ...string) (consumer, *watchtest.Log) {
	t.Helper()
	log := &watchtest.Log{}
	files := NewFiles(Options{Paths: paths, Log: log.Logger()})
	if files.Take().Complete {
		t.Error("complete before it runs")
	}
	watchtest.Running(t, files.Run)
	got := consumer{watchtest.Consume(t, files)}
	got.Until("complete", got.IsComplete)
	return got, log
}

func TestFilesInADirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/web.yaml", manifest("web", "one")+"---\n"+manifest("api", "one"))
	got, _ := watchFiles(t, dir)
	got.untilHost("web", "one")

	write(t, dir+"/web.yaml", manifest("web", "two")+"---\n"+manifest("api", "one"))
	got.untilHost("web", "two")
	if got.Count[watchtest.IngressKey("api")] != 1 {
		t.Errorf("an unchanged object was delivered %d times", got.Count[watchtest.IngressKey("api")])
	}

	write(t, dir+"/.web.yaml.tmp", manifest("web", "three"))
	watchtest.Must(t, os.Rename(dir+"/.web.yaml.tmp", dir+"/web.yaml"))
	got.untilHost("web", "three")
	got.Until("api gone", got.HasNot(watchtest.IngressKey("api")))

	write(t, dir+"/deeper/down/new.yaml", manifest("new", "one"))
	got.untilHost("new", "one")
	write(t, dir+"/deeper/down/new.yaml", manifest("new", "two"))
	got.untilHost("new", "two")
	watchtest.Must(t, os.RemoveAll(dir+"/deeper"))
	got.Until("new gone", got.HasNot(watchtest.IngressKey("new")))
	write(t, dir+"/deeper/down/new.yaml", manifest("new", "three"))
	got.untilHost("new", "three")
}

func TestOneFile(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/web.yaml"
	write(t, file, manifest("web", "one"))
	write(t, dir+"/other.yaml", manifest("other", "one"))
	got, _ := watchFiles(t, file)
	got.untilHost("web", "one")

	// As editors replace files.
	watchtest.Must(t, os.Rename(file, file+"~"))
	write(t, file, manifest("web", "two"))
	got.untilHost("web", "two")
	// As programs replace files atomically.
	write(t, dir+"/tmp", manifest("web", "three"))
	watchtest.Must(t, os.Rename(dir+"/tmp", file))
	got.untilHost("web", "three")
	// A missing file of the paths keeps its content.
	watchtest.Must(t, os.Remove(file))
	write(t, file, manifest("web", "four"))
	got.untilHost("web", "four")
	if got.Count[watchtest.IngressKey("other")] != 0 || got.Count[watchtest.IngressKey("web")] != 4 {
		t.Errorf("delivered %v", got.Count)
	}
}

// configMap writes a version of a volume the way the kubelet does.
func configMap(t *testing.T, dir, version string, content map[string]string) {
	t.Helper()
	for name, text := range content {
		write(t, filepath.Join(dir, version, name), text)
	}
	watchtest.Must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	watchtest.Must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	for name := range content {
		if err := os.Symlink("..data/"+name, filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
}

func TestMountedConfigMap(t *testing.T) {
	for name, path := range map[string]string{"directory": "", "file": "/web.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			configMap(t, dir, "..1", map[string]string{"web.yaml": manifest("web", "one")})
			got, _ := watchFiles(t, dir+path)
			got.untilHost("web", "one")
			for i, host := range []string{"two", "three"} {
				configMap(t, dir, fmt.Sprintf("..%d", i+2), map[string]string{"web.yaml": manifest("web", host)})
				watchtest.Must(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..%d", i+1))))
				got.untilHost("web", host)
			}
		})
	}
}

func TestLinkToAFileElsewhere(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, elsewhere+"/target", manifest("web", "one"))
	watchtest.Must(t, os.Symlink(elsewhere+"/target", dir+"/web.yaml"))
	got, _ := watchFiles(t, dir)
	got.untilHost("web", "one")
	write(t, elsewhere+"/target", manifest("web", "two"))
	got.untilHost("web", "two")
}

func TestABrokenFileKeepsItsLastContent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/web.yaml", manifest("web", "one"))
	write(t, dir+"/api.yaml", manifest("api", "one"))
	write(t, dir+"/never.yaml", "kind: Ingress")
	got, log := watchFiles(t, dir)
	got.untilHost("web", "one")
	if fault := dir + "/never.yaml: document 1: apiVersion is missing"; log.Count(fault) != 1 {
		t.Errorf("the log doesn't say %q", fault)
	}

	write(t, dir+"/web.yaml", manifest("web", "two")+"---\nkind: Ingress\n")
	write(t, dir+"/api.yaml", manifest("api", "two"))
	got.untilHost("api", "two")
	watchtest.Eventually(t, "the fault is logged", func() bool { return log.Count("/web.yaml: document 2: apiVersion is missing") == 1 })
	if got.host("web") != "one" {
		t.Errorf("web has host %s", got.host("web"))
	}
	write(t, dir+"/api.yaml", manifest("api", "three"))
	got.untilHost("api", "three")
	if log.Count("document 2: apiVersion is missing") != 1 {
		t.Error("the same fault is logged again")
	}
	write(t, dir+"/web.yaml", manifest("web", "three"))
	watchtest.Must(t, os.Remove(dir+"/never.yaml"))
	got.untilHost("web", "three")
	watchtest.Eventually(t, "the log says that all manifests are accepted", func() bool { return log.Count("all manifests accepted") == 1 })
}

func TestTwoFilesWithOneObject(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/b.yaml", manifest("web", "b"))
	got, log := watchFiles(t, dir)
	got.untilHost("web", "b")
	write(t, dir+"/c.yaml", manifest("web", "c")+"---\n"+manifest("api", "c"))
	got.untilHost("api", "c")
	want := fmt.Sprintf("%s/c.yaml: document 1: Ingress shop/web is already in %s/b.yaml: document 1", dir, dir)
	watchtest.Eventually(t, want, func() bool { return log.Count(want) == 1 })
	if got.host("web") != "b" {
		t.Errorf("web has host %s", got.host("web"))
	}
	watchtest.Must(t, os.Remove(dir+"/b.yaml"))
	got.untilHost("web", "c")
}

func TestADirectoryThatVanishesKeepsItsContent(t *testing.T) {
	parent := t.TempDir()
	dir := parent + "/manifests"
	write(t, dir+"/web.yaml", manifest("web", "one"))
	got, log := watchFiles(t, dir)
	got.untilHost("web", "one")
	watchtest.Must(t, os.Rename(dir, parent+"/away"))
	watchtest.Eventually(t, "logged", func() bool { return log.Count("manifest rejected") == 1 })
	write(t, parent+"/new/web.yaml", manifest("web", "two"))
	watchtest.Must(t, os.Rename(parent+"/new", dir)) // an empty directory would have no manifests
	got.untilHost("web", "two")
	if got.Count[watchtest.IngressKey("web")] != 2 {
		t.Errorf("delivered %d times", got.Count[watchtest.IngressKey("web")])
	}
}

func TestFilesThatDoNotExistAtTheStart(t *testing.T) {
	files := NewFiles(Options{Paths: []string{t.TempDir() + "/absent"}, Log: watchtest.Quiet()})
	if err := files.Run(t.Context()); err == nil {
		t.Error("no error")
	}
}

// Secrets from files are delivered whole whether or not they are wanted.
func TestSecretsInFilesNeedNotBeWanted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/tls.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: tls, namespace: shop}\nstringData: {tls.crt: one}\n")
	got, _ := watchFiles(t, dir)
	got.Source.Want([]unit.Key{{Kind: unit.Secret, Namespace: "shop", Name: "tls"}})
	got.Until("secret", func() bool { return got.Value(unit.Key{Kind: unit.Secret, Namespace: "shop", Name: "tls"}) == "one" })
}

// TestFileRemovedWhileRead holds that a file that is removed between being found and being read is not a fault.
func TestFileRemovedWhileRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.yaml")
	content := []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
	file := &cachedFile{}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"written", func() error { return os.WriteFile(path, content, 0o600) }},
		{"removed", func() error { return os.Remove(path) }},
		{"replaced", func() error { return os.WriteFile(path, content, 0o600) }},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if file.update(path, kinds.All()); file.fault != "" || len(file.held) != 1 {
			t.Errorf("%s: %d objects, fault %q", step.name, len(file.held), file.fault)
		}
	}
}
