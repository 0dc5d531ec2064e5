package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompletionScripts(t *testing.T) {
	for _, shell := range shells {
		if r := call(t, "", "completion", shell); r.code != exitOK || !strings.Contains(r.out, "__complete") || r.err != "" {
			t.Errorf("%s: %d %.100s", shell, r.code, r.out+r.err)
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}, {"completion", "bash", "zsh"}} {
		if r := call(t, "", args...); r.code != exitUsage || r.out != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// TestCompletions asks as the shells' scripts do. The last word is the one to complete.
func TestCompletions(t *testing.T) {
	kubeconfig := write(t, "config", "apiVersion: v1\nkind: Config\ncontexts: [{name: staging, context: {cluster: a}}]\n")
	t.Setenv("KUBECONFIG", kubeconfig)
	for words, want := range map[string]string{
		"":                        "doctor\tprint what is in order",
		"dif":                     "diff\t",
		"diff --rep":              "--replace\t",
		"diff -":                  "--against\t",
		"diff -o ":                "yaml\n",
		"doctor -o j":             "json\n",
		"check --tenancy ":        "isolated\n",
		"diff --context ":         "staging\n",
		"definitions -only ":      "gateway-api\n",
		"help ch":                 "check\n",
		"completion f":            "fish\n",
		"check examples ":         ":0\n", // files
		"diff --against ":         ":0\n", // files
		"diff --replace a.yaml -": "--replace\t",
	} {
		r := call(t, "", append([]string{"__complete"}, strings.Split(words, " ")...)...)
		if r.code != exitOK || !strings.Contains(r.out, want) {
			t.Errorf("%q: %+v, want %q", words, r, want)
		}
	}
}

// TestCompletionInBash completes a command in a real bash.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash on PATH")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "completion")
	if err := os.WriteFile(script, []byte(call(t, "", "completion", "bash").out), 0o600); err != nil {
		t.Fatal(err)
	}
	// A stand-in for the program answers with what the command line answers.
	answer := call(t, "", "__complete", "dif").out
	program := filepath.Join(dir, "kube-sync")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat <<'EOF'\n"+answer+"EOF\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "--norc", "-c", `. "$1"; COMP_WORDS=(kube-sync dif) COMP_CWORD=1 COMP_LINE="kube-sync dif" COMP_POINT=13 COMP_TYPE=9
_get_comp_words_by_ref() { cur=dif prev=kube-sync words=(kube-sync dif) cword=1; }
__start_kube-sync; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script)
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	out, err := cmd.Output() // bash complains about compopt outside of a completion
	if err != nil || !strings.HasPrefix(string(out), "diff") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestProgramName(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/local/bin/kube-sync": "kube-sync", "kube-sync": "kube-sync", "/home/a/bin/kubectl-kong_sync": "kubectl kong-sync",
	} {
		if got := programName(path); got != want {
			t.Errorf("%s is called as %q, want %q", path, got, want)
		}
	}
}
