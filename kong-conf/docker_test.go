package kongconf_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDockerfileFindsItsSources checks, without a Docker engine, that the files that the image
// copies exist and are in the build context.
func TestDockerfileFindsItsSources(t *testing.T) {
	allowed := map[string]bool{}
	for line := range strings.SplitSeq(readFile(t, "../docker/Dockerfile.dockerignore"), "\n") {
		if path, ok := strings.CutPrefix(line, "!"); ok {
			allowed[path] = true
		}
	}
	copied := 0
	for _, line := range dockerfile(t) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "COPY" || strings.Contains(line, "--from=") {
			continue
		}
		for _, source := range words[1 : len(words)-1] {
			if strings.HasPrefix(source, "--") {
				continue
			}
			copied++
			if _, err := os.Stat(filepath.Join("..", source)); err != nil {
				t.Errorf("docker/Dockerfile copies a file that does not exist: %v", err)
			}
			if !allowed[source] {
				t.Errorf("docker/Dockerfile copies %s, which docker/Dockerfile.dockerignore excludes", source)
			}
			delete(allowed, source)
		}
	}
	if copied == 0 || len(allowed) != 0 {
		t.Errorf("%d sources are copied; %v are not", copied, allowed)
	}
}

var linkerFlags = regexp.MustCompile(`-ldflags "([^"]*)"`)

// TestDockerfileBuilds links like the Dockerfile, without -trimpath, with which Go would compile
// all dependencies again.
func TestDockerfileBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the binary is not built")
	}
	flags := linkerFlags.FindStringSubmatch(strings.Join(dockerfile(t), "\n"))
	if flags == nil {
		t.Fatal("docker/Dockerfile has no -ldflags")
	}
	binary := filepath.Join(t.TempDir(), "kube-sync")
	build := exec.Command("go", "build", "-ldflags", strings.ReplaceAll(flags[1], "$VERSION", "v1.2.3-test"), "-o", binary, "./plugin")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	if version, err := exec.Command(binary, "version").Output(); err != nil || !strings.Contains(string(version), "v1.2.3-test") {
		t.Errorf("the binary does not have the version that the Dockerfile sets: %q, %v", version, err)
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Skipf("not an ELF file, so its libraries are not checked: %v", err)
	}
	defer file.Close()
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the binary needs libraries: %v %v", libraries, err)
	}
}
