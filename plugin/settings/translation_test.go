package settings

import (
	"flag"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/gatewayapi"
)

// TestTranslationFlags checks that the command line has a flag for every setting that changes the
// options of the translation, except for those that need a gateway or a cluster.
func TestTranslationFlags(t *testing.T) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	TranslationFlags(set, &Settings{})
	needGateway := []string{
		"GATEWAY_PORTS", "WATCH_NAMESPACE", "MANIFESTS", "PUBLISH_SERVICE", "PUBLISH_SERVICE_UDP", "UPDATE_STATUS", "POD_NAMESPACE",
	}
	for _, setting := range table {
		changes := changesTranslation(t, setting)
		offered := set.Lookup(setting.Flag()) != nil
		if want := changes && !slices.Contains(needGateway, setting.Name); offered != want {
			t.Errorf("%s: changes the options of the translation: %t, is a flag: %t", setting.Name, changes, offered)
		}
	}
}

// changesTranslation reports whether a valid value of the setting changes the options.
func changesTranslation(t *testing.T, setting Setting) bool {
	t.Helper()
	valid := false
	for _, value := range []string{
		"true", "false", "7", "8k", "isolated", "everywhere", "off", "debug", "json", "shop", "shop/web", "konghq.com/other",
		"10.1.2.3", "10.1.2.0/24", "127.0.0.1:1", "http://127.0.0.1:1", "/tmp", "keys", "file-log.path=/tmp/",
	} {
		options := func(s Settings) any {
			relay := gatewayapi.Relay{}
			relay.Address, _ = netip.ParseAddrPort(s.RelayAddress)
			return s.Translation(relay)
		}
		s := Defaults()
		s.PublishService = types.NamespacedName{Namespace: "kong", Name: "proxy"}
		s.KongListens = []Listen{{Ports: Ports{8000, 8001}}, {Ports: Ports{7, 7}, Stream: true}}
		s.GatewayPorts = []Ports{{8001, 8001}}
		before := options(s)
		if setting.set(&s, value) != nil {
			continue
		}
		valid = true
		if !reflect.DeepEqual(before, options(s)) {
			return true
		}
	}
	if !valid {
		t.Errorf("%s: none of the values of this test is valid", setting.Name)
	}
	return false
}

// The values of flags are checked, and replace the defaults.
func TestTranslationFlagsAreChecked(t *testing.T) {
	s := Defaults()
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	TranslationFlags(set, &s)
	if err := set.Parse([]string{"-tenancy", "isolated", "-allow-vaults", "-limit-namespace-entities", "3", "-custom-entity-types", "keys,key_sets"}); err != nil {
		t.Fatal(err)
	}
	o := s.Translation(gatewayapi.Relay{})
	if o.IngressClass != "kong" || !o.Tenancy.Isolated || !o.Tenancy.AllowVaults || o.Limits.Namespace.Entities != 3 ||
		!slices.Equal(o.Tenancy.CustomEntityTypes, []string{"keys", "key_sets"}) {
		t.Errorf("%+v", o)
	}
	if err := set.Parse([]string{"-tenancy", "open"}); err == nil {
		t.Error("an invalid value is accepted")
	}
}
