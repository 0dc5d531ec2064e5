package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // the command failed, or a check found errors
	exitUsage = 2 // the arguments are wrong, or the manifests cannot be read
)

// Version is the version of the build. The linker sets it.
var Version = "dev"

// terminal is where a command writes.
type terminal struct {
	out, err io.Writer
	// defined, if set, receives the flags of the command.
	defined **flag.FlagSet
}

// verb is a command of the command line.
type verb struct {
	name, synopsis string
	run            func(t terminal, args []string) error
}

func verbs() []verb {
	return []verb{
		{"render", "print the Kong configuration that manifests make", render},
		{"check", "print what is wrong with manifests; exits 1 if there are errors, 2 if manifests cannot be read", check},
		{"explain", "print what would answer a request, and why no other route would; exits 1 if the gateway would not serve it", explainRequest},
		{"diff", "print what applying manifests would change; exits 1 if something changes, 2 after an error", diff},
		{"doctor", "print what is in order about a gateway, and what to do about the rest; exits 1 if something fails", examine},
		{"collect", "write a bundle for a bug report, without secrets", collectBundle},
		{"status", "print the state of the gateway in this container, or what the cluster knows about its gateways", showStatus},
		{"definitions", "print the definitions of Gateway API and of Kong, for kubectl apply --server-side -f -", printDefinitions},
		{"completion", "print the script that completes commands in bash, zsh, fish or powershell", printCompletion},
		{"version", "print the version", version},
		{"help", "print this help and the settings of the running gateway, or the help of a command", help},
	}
}

// gcPercent lets the heap of a command, which ends soon, grow more than that of a server.
const gcPercent = 400

// programName returns what people type to call a program: kubectl finds its plugins by their names.
func programName(path string) string {
	if filepath.Base(path) == "kubectl-kong_sync" {
		return "kubectl kong-sync"
	}
	return "kube-sync"
}

// errUsage is an error that the flag package has already explained.
var errUsage = errors.New("usage")

// Run runs the command that the first argument names and returns the exit code.
func Run(args []string, out, err io.Writer) int {
	debug.SetGCPercent(gcPercent)
	t := terminal{out: out, err: err}
	if len(args) == 0 {
		_ = usage(err)
		return exitUsage
	}
	if asksForCompletions(args) {
		_ = complete(t, args) // the shell shows nothing after an error
		return exitOK
	}
	for _, v := range verbs() {
		if v.name != args[0] {
			continue
		}
		switch failure := v.run(t, args[1:]); {
		case failure == nil, errors.Is(failure, flag.ErrHelp):
			return exitOK
		case errors.Is(failure, errFindings):
			return exitError
		case errors.Is(failure, errUsage):
			return exitUsage
		default:
			fmt.Fprintln(err, failure)
			if unreadable := (*unreadableError)(nil); errors.As(failure, &unreadable) {
				return exitUsage
			}
			return exitError
		}
	}
	fmt.Fprintf(err, "kube-sync: unknown command %q\n\n", args[0])
	_ = usage(err)
	return exitUsage
}

func usage(w io.Writer) error {
	fmt.Fprint(w, "kube-sync is a plugin server that Kong starts. On the command line:\n\n")
	program := programName(os.Args[0])
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %s %-11s %s\n", program, v.name, v.synopsis)
	}
	return nil
}

func help(t terminal, args []string) error {
	for _, v := range verbs() {
		if len(args) > 0 && v.name == args[0] && v.name != "help" && v.name != "version" {
			return v.run(terminal{out: t.out, err: t.out}, []string{"-h"})
		}
	}
	if len(args) > 0 {
		fmt.Fprintf(t.err, "kube-sync: there is no help for %q\n\n", args[0])
		_ = usage(t.err)
		return errUsage
	}
	_ = usage(t.out)
	fmt.Fprint(t.out, "\nSettings of the running gateway, as CONTROLLER_NAME in its environment, or as\n"+
		"KONG_PLUGINSERVER_KUBE_SYNC_NAME in Kong's:\n\n")
	for _, s := range settings.Table() {
		fmt.Fprintf(t.out, "  %s\n      %s\n", s.Name, s.Doc)
	}
	return nil
}

func version(t terminal, _ []string) error {
	fmt.Fprintf(t.out, "kube-sync %s", Version)
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(t.out, " (%s)", info.GoVersion)
	}
	fmt.Fprintln(t.out)
	return nil
}

// flags returns the flags of a command, which print their usage to the terminal.
func (t terminal) flags(name, arguments string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	if t.defined != nil {
		*t.defined = f
	}
	f.SetOutput(t.err)
	f.Usage = func() {
		fmt.Fprintf(t.err, "Usage: %s %s %s\n", programName(os.Args[0]), name, arguments)
		f.PrintDefaults()
	}
	return f
}

// parse parses a command's arguments, all of which are flags.
func (t terminal) parse(f *flag.FlagSet, args []string) error {
	if err := parseFlags(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(t.err, "unexpected argument %q\n", f.Arg(0))
		f.Usage()
		return errUsage
	}
	return nil
}

// parseFlags parses the flags before the first other argument. Any error but [flag.ErrHelp] is
// [errUsage].
func parseFlags(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return errUsage
	}
	return err
}

// parseFiles parses the arguments of a command that reads manifests. Arguments that are not flags
// are files too.
func (t terminal) parseFiles(f *flag.FlagSet, args []string) (files, error) {
	paths, err := parsePaths(f, args)
	if err == nil && len(paths) == 0 {
		fmt.Fprintf(t.err, "kube-sync %s: no manifests are named\n", f.Name())
		f.Usage()
		return nil, errUsage
	}
	return paths, err
}

// parsePaths parses flags and files, of which there may be none.
func parsePaths(f *flag.FlagSet, args []string) (files, error) {
	var paths files
	f.Var(&paths, "f", "manifests: a `FILE`, a directory, or - for standard input; may be repeated, and -f may be left out")
	for len(args) > 0 {
		if err := parseFlags(f, args); err != nil {
			return nil, err
		}
		if args = f.Args(); len(args) > 0 {
			paths, args = append(paths, args[0]), args[1:]
		}
	}
	return paths, nil
}
