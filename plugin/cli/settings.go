package cli

import (
	"flag"
	"net/netip"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
)

// settingFlags adds the settings that the translation depends on.
func settingFlags(f *flag.FlagSet, s *settings.Settings) {
	settings.TranslationFlags(f, s)
	f.BoolVar(&s.WeakTLS, "allow-weak-certificates", false, "Whether keys and signatures are accepted that Kong accepts with ssl_cipher_suite = old.")
}

// offline returns the options of the translation without a gateway. Only a gateway knows the ports
// of the Service in front of it.
func offline(s settings.Settings) translate.Options {
	var relay gatewayapi.Relay
	relay.Address, _ = netip.ParseAddrPort(s.RelayAddress) // invalid if the relay is off
	options := s.Translation(relay)
	options.Gateway.AnyPort, options.Gateway.Pool = true, pool()
	return options
}

// pool returns the ports for Gateways in kong-conf/kong.conf.
func pool() gatewayapi.Pool {
	all, port := gatewayapi.Pool{}, int32(20000)
	for _, protocol := range []gatewayv1.ProtocolType{
		gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType, gatewayv1.TCPProtocolType, gatewayv1.TLSProtocolType, gatewayv1.UDPProtocolType,
	} {
		for range 20 {
			all[protocol] = append(all[protocol], port)
			port++
		}
	}
	return all
}
