package watch

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// manifest is an Ingress with one host.
func manifest(name, host string) string {
	return fmt.Sprintf("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: %s, namespace: shop}\nspec: {rules: [{host: %s}]}\n", name, host)
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (c *consumer) host(name string) string {
	if i, ok := c.objects[ingressKey(name)].(*networkingv1.Ingress); ok && len(i.Spec.Rules) > 0 {
		return i.Spec.Rules[0].Host
	}
	return ""
}

func (c *consumer) untilHost(name, host string) {
	c.t.Helper()
	c.until(name+" has host "+host, func() bool { return c.host(name) == host })
}

func watchFiles(t *testing.T, paths ...string) (*consumer, *lines) {
	t.Helper()
	log := &lines{}
	files := NewFiles(FilesOptions{Paths: paths, Log: log.logger()})
	if files.Take().Complete {
		t.Error("complete before it runs")
	}
	running(t, files.Run)
	got := consume(t, files)
	got.until("complete", got.isComplete)
	return got, log
}

func TestFilesInADirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/web.yaml", manifest("web", "one")+"---\n"+manifest("api", "one"))
	got, _ := watchFiles(t, dir)
	got.untilHost("web", "one")

	write(t, dir+"/web.yaml", manifest("web", "two")+"---\n"+manifest("api", "one"))
	got.untilHost("web", "two")
	if got.count[ingressKey("api")] != 1 {
		t.Errorf("what didn't change was delivered %d times", got.count[ingressKey("api")])
	}

	write(t, dir+"/.web.yaml.tmp", manifest("web", "three"))
	must(t, os.Rename(dir+"/.web.yaml.tmp", dir+"/web.yaml"))
	got.untilHost("web", "three")
	got.until("api gone", got.hasNot(ingressKey("api")))

	write(t, dir+"/deeper/down/new.yaml", manifest("new", "one"))
	got.untilHost("new", "one")
	write(t, dir+"/deeper/down/new.yaml", manifest("new", "two"))
	got.untilHost("new", "two")
	must(t, os.RemoveAll(dir+"/deeper"))
	got.until("new gone", got.hasNot(ingressKey("new")))
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

	// As editors do.
	must(t, os.Rename(file, file+"~"))
	write(t, file, manifest("web", "two"))
	got.untilHost("web", "two")
	// As careful programs do.
	write(t, dir+"/tmp", manifest("web", "three"))
	must(t, os.Rename(dir+"/tmp", file))
	got.untilHost("web", "three")
	// Fail static: a file that was asked for and is missing keeps its content.
	must(t, os.Remove(file))
	write(t, file, manifest("web", "four"))
	got.untilHost("web", "four")
	if got.count[ingressKey("other")] != 0 || got.count[ingressKey("web")] != 4 {
		t.Errorf("delivered %v", got.count)
	}
}

// configMap writes a version of a volume the way the kubelet does.
func configMap(t *testing.T, dir, version string, content map[string]string) {
	t.Helper()
	for name, text := range content {
		write(t, filepath.Join(dir, version, name), text)
	}
	must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
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
				must(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..%d", i+1))))
				got.untilHost("web", host)
			}
		})
	}
}

func TestLinkToAFileElsewhere(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, elsewhere+"/target", manifest("web", "one"))
	must(t, os.Symlink(elsewhere+"/target", dir+"/web.yaml"))
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
	if fault := dir + "/never.yaml: document 1: no apiVersion"; log.count(fault) != 1 {
		t.Errorf("the log doesn't say %q", fault)
	}

	write(t, dir+"/web.yaml", manifest("web", "two")+"---\nkind: Ingress\n")
	write(t, dir+"/api.yaml", manifest("api", "two"))
	got.untilHost("api", "two")
	eventually(t, "the fault is logged", func() bool { return log.count("/web.yaml: document 2: no apiVersion") == 1 })
	if got.host("web") != "one" {
		t.Errorf("web has host %s", got.host("web"))
	}
	write(t, dir+"/api.yaml", manifest("api", "three"))
	got.untilHost("api", "three")
	if log.count("document 2: no apiVersion") != 1 {
		t.Error("the same fault is logged again")
	}
	write(t, dir+"/web.yaml", manifest("web", "three"))
	must(t, os.Remove(dir+"/never.yaml"))
	got.untilHost("web", "three")
	eventually(t, "the log says that all is well", func() bool { return log.count("all manifests taken") == 1 })
}

func TestTwoFilesWithOneObject(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/b.yaml", manifest("web", "b"))
	got, log := watchFiles(t, dir)
	got.untilHost("web", "b")
	write(t, dir+"/c.yaml", manifest("web", "c")+"---\n"+manifest("api", "c"))
	got.untilHost("api", "c")
	want := fmt.Sprintf("%s/c.yaml: document 1: Ingress shop/web is already in %s/b.yaml: document 1", dir, dir)
	eventually(t, want, func() bool { return log.count(want) == 1 })
	if got.host("web") != "b" {
		t.Errorf("web has host %s", got.host("web"))
	}
	must(t, os.Remove(dir+"/b.yaml"))
	got.untilHost("web", "c")
}

func TestADirectoryThatVanishesKeepsItsContent(t *testing.T) {
	parent := t.TempDir()
	dir := parent + "/manifests"
	write(t, dir+"/web.yaml", manifest("web", "one"))
	got, log := watchFiles(t, dir)
	got.untilHost("web", "one")
	must(t, os.Rename(dir, parent+"/away"))
	eventually(t, "logged", func() bool { return log.count("manifest not taken") == 1 })
	write(t, dir+"/web.yaml", manifest("web", "two"))
	got.untilHost("web", "two")
	if got.count[ingressKey("web")] != 2 {
		t.Errorf("delivered %d times", got.count[ingressKey("web")])
	}
}

func TestFilesThatAreNotThereAtTheStart(t *testing.T) {
	files := NewFiles(FilesOptions{Paths: []string{t.TempDir() + "/absent"}, Log: quiet()})
	if err := files.Run(t.Context()); err == nil {
		t.Error("no error")
	}
}

// Kinds that are fetched whole when wanted from a cluster are there anyway.
func TestSecretsInFilesNeedNotBeWanted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/tls.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: tls, namespace: shop}\nstringData: {tls.crt: one}\n")
	got, _ := watchFiles(t, dir)
	got.source.Want([]unit.Key{secretKey("tls")})
	got.until("secret", func() bool { return got.value(secretKey("tls")) == "one" })
}
