package cli

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// Shells ask cobra's hidden commands for completions. Cobra makes the shells' scripts and speaks
// with them; commands and their flags are parsed by the flag package, as those of the gateway are.

// shells are the arguments of completion.
var shells = []string{"bash", "zsh", "fish", "powershell"}

// printCompletion prints the script that completes commands and flags in a shell.
func printCompletion(t terminal, args []string) error {
	f := t.flags("completion", strings.Join(shells, "|"))
	if err := parseFlags(f, args); err != nil {
		return err
	}
	root := completer()
	switch shell := f.Arg(0); {
	case f.NArg() != 1 || !slices.Contains(shells, shell):
		f.Usage()
		return errUsage
	case shell == "bash":
		return root.GenBashCompletionV2(t.out, true)
	case shell == "zsh":
		return root.GenZshCompletion(t.out)
	case shell == "fish":
		return root.GenFishCompletion(t.out, true)
	default:
		return root.GenPowerShellCompletionWithDesc(t.out)
	}
}

// complete answers a shell that asks for completions.
func complete(t terminal, args []string) error {
	root := completer()
	root.SetArgs(args)
	root.SetOut(t.out)
	root.SetErr(io.Discard)
	return root.Execute()
}

// asksForCompletions reports whether a shell's script calls.
func asksForCompletions(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// completer returns a command that knows all commands and completes their arguments.
func completer() *cobra.Command {
	root := &cobra.Command{Use: "kube-sync", SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	for _, v := range verbs() {
		root.AddCommand(&cobra.Command{
			Use: v.name, Short: v.synopsis, DisableFlagParsing: true, Run: func(*cobra.Command, []string) {},
			ValidArgsFunction: func(_ *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
				return v.completions(before, word)
			},
		})
	}
	return root
}

// completions returns what may come in place of a word, given the words before it.
func (v verb) completions(before []string, word string) ([]string, cobra.ShellCompDirective) {
	f := v.flagSet()
	if len(before) > 0 {
		if option := f.Lookup(strings.TrimLeft(before[len(before)-1], "-")); option != nil && strings.HasPrefix(before[len(before)-1], "-") && !isSwitch(option) {
			return valuesOf(option)
		}
	}
	switch {
	case strings.HasPrefix(word, "-"):
		return flagsOf(f), cobra.ShellCompDirectiveNoFileComp
	case v.name == "completion":
		return shells, cobra.ShellCompDirectiveNoFileComp
	case v.name == "help":
		var names []string
		for _, other := range verbs() {
			names = append(names, other.name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	case f.Lookup("f") != nil:
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// flagSet returns the flags of a command, without running it.
func (v verb) flagSet() *flag.FlagSet {
	defined := flag.NewFlagSet(v.name, flag.ContinueOnError)
	if v.name == "help" || v.name == "version" {
		return defined
	}
	_ = v.run(terminal{out: io.Discard, err: io.Discard, defined: &defined}, []string{"-h"}) // flag.ErrHelp
	return defined
}

func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// flagsOf returns the flags with their help.
func flagsOf(f *flag.FlagSet) (all []string) {
	f.VisitAll(func(option *flag.Flag) {
		dashes := "--"
		if len(option.Name) == 1 {
			dashes = "-"
		}
		_, usage := flag.UnquoteUsage(option)
		first, _, _ := strings.Cut(usage, ". ")
		all = append(all, fmt.Sprintf("%s%s\t%s", dashes, option.Name, first))
	})
	return all
}

// pathFlags are the flags whose values are paths.
var pathFlags = []string{"f", "against", "kubeconfig", "output", "kong-prefix"}

// valuesOf returns the values of a flag.
func valuesOf(option *flag.Flag) ([]string, cobra.ShellCompDirective) {
	switch {
	case slices.Contains(pathFlags, option.Name):
		return nil, cobra.ShellCompDirectiveDefault
	case option.Name == "o":
		return []string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp
	case option.Name == "only":
		return []string{"gateway-api", "kong"}, cobra.ShellCompDirectiveNoFileComp
	case option.Name == "context":
		return contexts(), cobra.ShellCompDirectiveNoFileComp
	}
	for _, setting := range settings.Table() {
		if setting.Flag() == option.Name {
			return setting.Values, cobra.ShellCompDirectiveNoFileComp
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// contexts returns the contexts of the kubeconfig.
func contexts() (names []string) {
	config, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
	if err != nil {
		return nil
	}
	for name := range config.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
