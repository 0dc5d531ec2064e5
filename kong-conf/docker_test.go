package kongconf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDockerfileFindsItsSources checks without a Docker engine that what the image is
// made of is there and in the build's context.
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
				t.Errorf("docker/Dockerfile copies what is not there: %v", err)
			}
			if !allowed[source] {
				t.Errorf("docker/Dockerfile copies %s, which docker/Dockerfile.dockerignore keeps out", source)
			}
			delete(allowed, source)
		}
	}
	if copied == 0 || len(allowed) != 0 {
		t.Errorf("%d sources are copied; never copied are %v", copied, allowed)
	}
}
