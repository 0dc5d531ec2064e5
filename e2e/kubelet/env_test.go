package kubelet

import (
	"slices"
	"testing"
)

func TestExpand(t *testing.T) {
	env := environment{"A": "1", "LONG_NAME": "$(A)"}
	for text, want := range map[string]string{
		"plain":            "plain",
		"$(A)$(A)":         "11",
		"x$(LONG_NAME)y":   "x$(A)y", // values are not expanded again
		"$(UNKNOWN)":       "$(UNKNOWN)",
		"$$(A)":            "$(A)",
		"$$$(A)":           "$1",
		"$(A":              "$(A",
		"cost: 5$":         "cost: 5$",
		"$A ${A} $":        "$A ${A} $",
		"$(UNKNOWN) $(A)!": "$(UNKNOWN) 1!",
	} {
		if got := expand(text, env); got != want {
			t.Errorf("expand(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestImageNames(t *testing.T) {
	k := &Kubelet{images: map[string]Image{}}
	k.AddImage("kube-sync/echo", Image{Executable: "/bin/echo-backend"})
	k.AddImage("registry:5000/special:v2", Image{Executable: "/bin/special", Path: "/x/y"})
	for name, want := range map[string]string{
		"kube-sync/echo":           "/echo-backend",
		"kube-sync/echo:v1":        "/echo-backend",
		"kube-sync/echo@sha256:00": "/echo-backend",
		"registry:5000/special:v2": "/x/y",
		"registry:5000/special:v1": "",
		"other":                    "",
	} {
		image, err := k.image(name)
		if image.Path != want || (err == nil) != (want != "") {
			t.Errorf("image(%q) = %v, %v, want path %q", name, image, err, want)
		}
	}
}

func TestEnvironmentIsOrdered(t *testing.T) {
	got := environment{"B": "2", "A": "1"}.list()
	if !slices.Equal(got, []string{"A=1", "B=2"}) {
		t.Errorf("list: %q", got)
	}
}
