// The program controlplane is a Kubernetes control plane in one executable, made from the Go modules of Kubernetes and
// etcd. Its first argument chooses what it is:
//
//	controlplane etcd|kube-apiserver|kube-controller-manager FLAGS   that component, with its own flags
//	controlplane up -dir DIR [-foreground]                           all of them, as child processes
//
// There is no kube-scheduler: the tests' kubelet binds pods to its node itself.
//
// `up` makes a certificate authority and certificates, starts the components on free ports, waits until the default
// ServiceAccount exists, writes DIR/kubeconfig and prints its path as the first line of its standard output. The
// components' logs are in DIR. Where DIR holds an etcd directory from earlier, the cluster in it continues.
// `up` runs until SIGTERM or SIGINT, and then ends the components; they end as well when `up` is killed.
//
// With -foreground it also ends when its standard input is closed, and takes commands from it, one a line:
//
//	stop COMPONENT    SIGTERM, and SIGKILL if that takes too long
//	kill COMPONENT    SIGKILL
//	start COMPONENT   on the same port and with the same data as before
//
// Each is answered by one line, "ok COMMAND" once it is done (started: once it is ready), or "error COMMAND: CAUSE".
// A component which ends without having been asked to ends `up`, with the reason on its standard error.
//
// The module is separate from kube-sync's since Kubernetes binds versions and needs replace lines that the product must
// not have. Nothing imports it; package lab builds and runs it.
package main

import (
	"fmt"
	"os"
	"runtime"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

const usage = "usage: controlplane up -dir DIR [-foreground] | etcd | kube-apiserver | kube-controller-manager"

// The kernel sends the parent-death signal when the thread that started a child ends. The main thread ends last, so
// the main goroutine stays on it and is the one that starts components.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	// Components read os.Args themselves; to them the name is their program's.
	os.Args = os.Args[1:]
	switch os.Args[0] {
	case nameEtcd:
		runtime.UnlockOSThread()
		etcdmain.Main(os.Args)
	case nameAPIServer:
		runtime.UnlockOSThread()
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case nameControllerManager:
		runtime.UnlockOSThread()
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "up":
		if err := up(os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "controlplane up:", err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}
