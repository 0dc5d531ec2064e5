package agent

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/plugin/datapath"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Run keeps the local Kong, and the relay beside it, in step with the cluster, or with a
// directory of manifests, until the context ends. The server is told when there is a
// configuration. What is sent is noted in a file in Kong's prefix, unless that is empty.
// Errors are those that keep the agent from starting.
func Run(ctx context.Context, prefix string, s settings.Settings, relay *datapath.Relay, server *serve.Server, log *slog.Logger) error {
	admin, err := gateway.NewAdmin(s.Admin, s.AdminTimeout)
	if err != nil {
		return err
	}
	source, reporter, err := source(s, server, log)
	if err != nil {
		return err
	}
	place, err := relay.Place()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	run := func(part func(context.Context) error) {
		group.Go(func() error { return process.Recover(func() error { return part(ctx) }) })
	}
	run(source.Run)
	run(reporter.Run)
	run(func(ctx context.Context) error {
		observer := observer{server}
		hash, err := observer.reach(ctx, admin)
		if err != nil {
			return err
		}
		if err := observer.vet(ctx, admin, s.AllowVulnerableKong, log); err != nil {
			return err
		}
		observer.resume(hash)
		l := newLoop(source, translate.New(options(s, place)), remembering(gateway.New(admin, relay), prefix, log), reporter, observer, log)
		l.teacher = &teacher{prefix: prefix, relay: relay}
		l.run(ctx)
		return nil
	})
	return group.Wait()
}

// remembering is the gateway with what a kube-sync before this one noted.
func remembering(gw *gateway.Gateway, prefix string, log *slog.Logger) *gateway.Gateway {
	path := ""
	if prefix != "" {
		path = filepath.Join(prefix, "kube-sync.sending")
	}
	ledger, err := gateway.OpenLedger(path, time.Now())
	if err != nil {
		log.Warn("What a kube-sync before this one was sending cannot be told", "error", err)
	}
	gw.Remember(ledger)
	return gw
}

func options(s settings.Settings, place gatewayapi.Relay) translate.Options {
	return translate.Options{
		IngressClass: s.IngressClass,
		Tenancy:      tenant(s),
		Limits:       s.Limits,
		LastResort:   s.LastResortNamespaces,
		Certificate:  certificate.Options{AllowWeak: s.WeakTLS},
		Gateway: gatewayapi.Options{
			Controller: s.GatewayController, Gateway: s.GatewayToReconcile, Ports: assumedPorts(s), Listens: listens(s), Pool: pool(s), NamespacePorts: s.NamespaceGatewayPorts,
			Front: s.PublishService, FrontUDP: s.PublishServiceUDP, Relay: place,
		},
		Backend: backend.Options{
			// Names are judged by those who resolve them.
			AllowExternalName: s.AllowExternalName && !s.Unguarded,
			Addresses:         s.Addresses(),
			GatewayNamespace:  s.PodNamespace,
			Drain:             s.DrainSupport,
			ClusterDomain:     s.ClusterDomain,
		},
	}
}

func tenant(s settings.Settings) tenancy.Options {
	return tenancy.Options{
		Isolated: s.Isolated, IsolatedPlugins: s.IsolatedPlugins, AllowLua: s.AllowLuaPlugins, Fields: s.AllowPluginFields,
		AllowVaults: s.AllowVaults, CustomEntityTypes: s.CustomEntityTypes, ConsumersEverywhere: s.ConsumersEverywhere,
	}
}

// pool are the ports for Gateways with a Service of their own. Without the endpoints of a
// Service in front of Kong, or a cluster to write it to, no Gateway can have one.
func pool(s settings.Settings) gatewayapi.Pool {
	watched := len(s.WatchNamespaces) == 0 || slices.Contains(s.WatchNamespaces, s.PublishService.Namespace)
	if s.PublishService.Name == "" || !watched || !s.UpdateStatus || s.Manifests != "" {
		return nil
	}
	all := gatewayapi.Pool{}
	for _, listen := range s.KongListens {
		for port := listen.Ports.First; port <= listen.Ports.Last; port++ {
			if pooled(s, port) {
				all[protocol(listen)] = append(all[protocol(listen)], port)
			}
		}
	}
	return all
}

// listens are the ports of Kong that are in no pool.
func listens(s settings.Settings) (all []gatewayapi.Listen) {
	for _, listen := range s.KongListens {
		for port := listen.Ports.First; port <= listen.Ports.Last; port++ {
			if pooled(s, port) {
				continue
			}
			seen, mapped := s.PortMaps[port]
			if !mapped {
				seen = port
			}
			all = append(all, gatewayapi.Listen{Protocol: protocol(listen), Port: port, Seen: seen})
		}
	}
	return all
}

// assumedPorts are those of a Service in front of Kong that cannot be read: for requests 80
// and 443 and what Kong's port_maps say, and for streams those of Kong.
func assumedPorts(s settings.Settings) map[gatewayv1.ProtocolType][]int32 {
	all := map[gatewayv1.ProtocolType][]int32{gatewayv1.HTTPProtocolType: {80}, gatewayv1.HTTPSProtocolType: {443}}
	for _, listen := range listens(s) {
		_, mapped := s.PortMaps[listen.Port]
		isHTTP := listen.Protocol == gatewayv1.HTTPProtocolType || listen.Protocol == gatewayv1.HTTPSProtocolType
		if (mapped || !isHTTP) && !slices.Contains(all[listen.Protocol], listen.Seen) {
			all[listen.Protocol] = append(all[listen.Protocol], listen.Seen)
		}
	}
	return all
}

func pooled(s settings.Settings, port int32) bool {
	return slices.ContainsFunc(s.GatewayPorts, func(p settings.Ports) bool { return p.Contains(port) })
}

// protocol is that of the listeners of Gateways which a port of Kong can be for.
func protocol(listen settings.Listen) gatewayv1.ProtocolType {
	switch {
	case listen.UDP:
		return gatewayv1.UDPProtocolType
	case listen.Stream && listen.TLS:
		return gatewayv1.TLSProtocolType
	case listen.Stream:
		return gatewayv1.TCPProtocolType
	case listen.TLS:
		return gatewayv1.HTTPSProtocolType
	}
	return gatewayv1.HTTPProtocolType
}

// observer tells the server what happens.
type observer struct{ *serve.Server }

// Applied implements [Observer].
func (o observer) Applied(outcome gateway.Outcome, took time.Duration, changes map[unit.Kind]time.Time) {
	o.Server.Applied(outcome, took, changes)
	o.SetReady()
}

// reach waits for Kong's Admin API and returns the hash of the configuration that Kong has.
func (o observer) reach(ctx context.Context, admin *gateway.Admin) (string, error) {
	o.SetReason("waiting for Kong's Admin API at " + admin.Address())
	for {
		hash, err := admin.Hash(ctx)
		if err == nil {
			return hash, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for Kong: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// vet warns of a Kong with known vulnerabilities. One that is too old is an error, unless it is
// allowed: it gets no configuration, and the pod does not become ready.
func (o observer) vet(ctx context.Context, admin *gateway.Admin, allowed bool, log *slog.Logger) error {
	software, err := admin.Software(ctx)
	if err != nil {
		return fmt.Errorf("asking Kong for its version: %w", err)
	}
	warnings := software.Warnings()
	o.SetKong(software.Version, warnings)
	if software.Refused() && !allowed {
		return fmt.Errorf("%s; or set ALLOW_VULNERABLE_KONG", strings.Join(warnings, "; "))
	}
	for _, warning := range warnings {
		log.Warn("This Kong puts the gateway at risk", "version", software.Version, "reason", warning)
	}
	return nil
}

// resume is for a kube-sync that starts beside a Kong which has a configuration: one
// that it kept through a restart, or that a kube-sync before this one applied. Such a
// gateway serves and is ready, whether or not the API server can be reached.
func (o observer) resume(hash string) {
	if strings.Trim(hash, "0") != "" {
		o.SetReady()
		return
	}
	o.SetReason("waiting for the first complete configuration")
}
