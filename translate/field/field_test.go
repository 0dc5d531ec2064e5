package field

import (
	"slices"
	"testing"

	kubernetes "k8s.io/apimachinery/pkg/util/validation/field"
)

func TestPathsAreThoseOfKubernetes(t *testing.T) {
	for _, test := range []struct {
		got   Path
		want  *kubernetes.Path
		steps []string
	}{
		{NewPath("spec", "rules").Index(0).Child("http", "paths").Index(12),
			kubernetes.NewPath("spec", "rules").Index(0).Child("http", "paths").Index(12),
			[]string{"spec", "rules", "0", "http", "paths", "12"}},
		{NewPath("metadata", "annotations").Key("konghq.com/headers.x-a"),
			kubernetes.NewPath("metadata", "annotations").Key("konghq.com/headers.x-a"),
			[]string{"metadata", "annotations", "konghq.com/headers.x-a"}},
		{NewPath("endpoints").Index(1).Child("addresses").Index(0),
			kubernetes.NewPath("endpoints").Index(1).Child("addresses").Index(0),
			[]string{"endpoints", "1", "addresses", "0"}},
		{NewPath("urlRewrite", "hostname").Within(NewPath("filters").Index(2)),
			kubernetes.NewPath("filters").Index(2).Child("urlRewrite", "hostname"),
			[]string{"filters", "2", "urlRewrite", "hostname"}},
		{Path("").Within(NewPath("spec")), kubernetes.NewPath("spec"), []string{"spec"}},
		{NewPath("spec").Within(""), kubernetes.NewPath("spec"), []string{"spec"}},
	} {
		if string(test.got) != test.want.String() || !slices.Equal(test.got.Steps(), test.steps) {
			t.Errorf("%s with %q, want %s with %q", test.got, test.got.Steps(), test.want, test.steps)
		}
	}
	for path, want := range map[Path]bool{"config": true, "config.a": true, "config[0]": true, "configFrom": false, "": false} {
		if path.IsIn("config") != want {
			t.Errorf("%q is in config: %t", path, !want)
		}
	}
	if steps := Path("").Steps(); len(steps) > 0 {
		t.Errorf("the empty path has %q", steps)
	}
}
