package kongconf_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate/address"
)

const companionDir = "lua/kong/plugins/kube-sync-delta"

var (
	luaRange   = regexp.MustCompile(`(?m)^  \{ "([^"]+)", ("[^"]+"|[A-Z_]+)(, true)? \},$`)
	luaWords   = regexp.MustCompile(`(?m)^local ([A-Z_]+) = ("[^"]+")$`)
	luaRelay   = regexp.MustCompile(`(?m)^local RELAY = "([^"]+)"`)
	luaLearned = regexp.MustCompile(`(?m)^local LEARNED = "/([^"]+)"`)
	goLearned  = regexp.MustCompile(`(?m)^const addressFile = "([^"]+)"`)
)

// TestDeniedRangesAgree compares the list in Lua with the one in Go.
func TestDeniedRangesAgree(t *testing.T) {
	source := readFile(t, filepath.Join(companionDir, "addresses.lua"))
	words := map[string]string{}
	for _, found := range luaWords.FindAllStringSubmatch(source, -1) {
		words[found[1]] = found[2]
	}
	var got, want []string
	for _, found := range luaRange.FindAllStringSubmatch(source, -1) {
		what := found[2]
		if said, ok := words[what]; ok {
			what = said
		}
		got = append(got, fmt.Sprintf("%s %s own host %t", found[1], what, found[3] != ""))
	}
	for _, r := range address.BuiltIn() {
		want = append(want, fmt.Sprintf("%s %q own host %t", r.Prefix, r.What, r.OwnHost))
	}
	if !slices.Equal(got, want) {
		t.Errorf("addresses.lua denies\n%s\nand the translation\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestEgressAgrees compares the names and defaults that egress.lua and kube-sync share.
func TestEgressAgrees(t *testing.T) {
	lua, agent := readFile(t, filepath.Join(companionDir, "egress.lua")), readFile(t, "../plugin/agent/protected_addresses.go")
	for name, both := range map[string][2][]string{
		"relay":        {luaRelay.FindStringSubmatch(lua), {"", setting(t, "RELAY_BIND_ADDRESS")}},
		"learned file": {luaLearned.FindStringSubmatch(lua), goLearned.FindStringSubmatch(agent)},
	} {
		if len(both[0]) != 2 || len(both[1]) != 2 || both[0][1] != both[1][1] {
			t.Errorf("%s: %v in Lua, %v in Go", name, both[0], both[1])
		}
	}
	for _, name := range []string{"denied_addresses", "allowed_addresses", "allow_loopback_backends", "apiserver_host", "relay_bind_address"} {
		setting(t, strings.ToUpper(name))
		if !strings.Contains(lua, fmt.Sprintf("setting(%q)", name)) {
			t.Errorf("egress.lua does not read the setting %s", name)
		}
	}
}

// reasonsProgram is a Lua program that prints for each line why the address is denied.
const reasonsProgram = `
package.path = arg[1] .. "/lua/?.lua;" .. package.path
local addresses = require "kong.plugins.kube-sync-delta.addresses"
local own = {}
for text in arg[2]:gmatch("%S+") do
  own[addresses.parse(text)] = true
end
local policy = assert(addresses.new({ own = own, api_server = { arg[3] }, denied = arg[4], allowed = arg[5], allow_own_host = arg[6] == "true" }))
addresses.learn(policy, arg[7])
for line in io.lines() do
  local host, port = line:match("^(%S+) (%d+)$")
  print(addresses.reason(policy, host, tonumber(port)) or "")
end`

// TestPoliciesAgree asks the policies in Lua and in Go about the same addresses.
func TestPoliciesAgree(t *testing.T) {
	luajit, err := exec.LookPath("luajit")
	if err != nil {
		luajit = "/usr/local/openresty/luajit/bin/luajit"
	}
	if _, err := os.Stat(luajit); err != nil {
		t.Skip("luajit is missing: the answers of addresses.lua are not compared")
	}
	program := filepath.Join(t.TempDir(), "reasons.lua")
	if err := os.WriteFile(program, []byte(reasonsProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	addresses, ports := manyAddresses(), []uint16{80, 81}
	for _, allowOwnHost := range []bool{false, true} {
		policy := address.Policy{
			Denied:  []netip.Prefix{netip.MustParsePrefix("10.66.0.0/15"), netip.MustParsePrefix("2001:db8:66::/47")},
			Allowed: []netip.Prefix{netip.MustParsePrefix("10.66.7.0/25"), netip.MustParsePrefix("169.254.20.10/32"), netip.MustParsePrefix("64:ff9b::/100")},
			Own:     []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("2001:db8::7")}, APIServer: []netip.Addr{netip.MustParseAddr("10.96.0.1")},
			AllowOwnHost: allowOwnHost,
			Learned: address.Learned{netip.AddrPortFrom(netip.MustParseAddr("10.0.0.8"), 0): address.OfGateway, netip.AddrPortFrom(netip.MustParseAddr("2001:db8::8"), 0): address.Leading,
				netip.MustParseAddrPort("10.0.0.9:80"): address.OfGateway, netip.MustParseAddrPort("[2001:db8::9]:80"): address.OfGateway},
		}
		cmd := exec.Command(luajit, program, ".", "10.0.0.7 2001:db8::7", "10.96.0.1",
			"10.66.0.0/15, 2001:db8:66::/47", "10.66.7.0/25,169.254.20.10,64:ff9b::/100", fmt.Sprint(allowOwnHost),
			"10.0.0.8 "+address.OfGateway+"\n2001:db8::8 "+address.Leading+"\n10.0.0.9:80 "+address.OfGateway+"\n[2001:db8::9]:80 "+address.OfGateway+"\n")
		var lines strings.Builder
		for _, a := range addresses {
			for _, port := range ports {
				fmt.Fprintln(&lines, a, port)
			}
		}
		cmd.Stdin = strings.NewReader(lines.String())
		answers, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		said := bufio.NewScanner(strings.NewReader(string(answers)))
		denied := 0
		for _, a := range addresses {
			if policy.Reason(a) != "" {
				denied++
			}
			for _, port := range ports {
				if !said.Scan() {
					t.Fatalf("no answer for %s", a)
				}
				if want := policy.ReasonAt(a, port); said.Text() != want {
					t.Errorf("%s at port %d is %q in Lua and %q in Go", a, port, said.Text(), want)
				}
			}
		}
		if denied < len(addresses)/10 || denied > len(addresses)*9/10 {
			t.Errorf("%d of %d addresses are denied, want between a tenth and nine tenths", denied, len(addresses))
		}
	}
}

// manyAddresses returns the bounds of all ranges, in all forms, and many random addresses.
func manyAddresses() (all []netip.Addr) {
	random := rand.New(rand.NewPCG(1, 2))
	four := []string{"10.0.0.7", "10.0.0.8", "10.0.0.9", "10.96.0.1", "10.66.7.127", "10.66.7.128", "10.65.255.255", "10.67.255.255", "10.68.0.0", "169.254.20.10", "240.0.0.1", "0.0.0.5"}
	for _, r := range address.BuiltIn() {
		for _, a := range []netip.Addr{r.Addr().Prev(), r.Addr(), r.Addr().Next()} {
			if a.IsValid() && a.Is4() {
				four = append(four, a.String())
			} else if a.IsValid() {
				all = append(all, a)
			}
		}
	}
	for _, text := range []string{"2001:db8::7", "2001:db8::8", "2001:db8::9", "2001:db8:67::1", "2001:db8:68::1"} {
		all = append(all, netip.MustParseAddr(text))
	}
	for range 200 {
		four = append(four, fmt.Sprintf("%d.%d.%d.%d", random.IntN(256), random.IntN(256), random.IntN(256), random.IntN(256)))
	}
	for _, text := range four {
		a := netip.MustParseAddr(text)
		b := a.As4()
		all = append(all, a)
		for _, format := range []string{
			"::ffff:%02x%02x:%02x%02x", "::%02x%02x:%02x%02x", "::ffff:0:%02x%02x:%02x%02x", "64:ff9b::%02x%02x:%02x%02x", "2002:%02x%02x:%02x%02x::1",
			"2001:0:%02x%02x:%02x%02x::", "64:ff9b:1::%02x%02x:%02x%02x", "64:ff9b:1:%02x%02x:00%02x:%02x00::", "64:ff9b:1:00%02x:00%02x:%02x%02x::",
			"64:ff9b:1:0:00%02x:%02x%02x:%02x00::", "fd00::%02x%02x:%02x%02x",
		} {
			all = append(all, netip.MustParseAddr(fmt.Sprintf(format, b[0], b[1], b[2], b[3])))
		}
		all = append(all, netip.MustParseAddr(fmt.Sprintf("2001:0:a00:1::%02x%02x:%02x%02x", ^b[0], ^b[1], ^b[2], ^b[3])))
	}
	prefixes := [][]byte{{0x20, 0x02}, {0x20, 0x01, 0, 0}, {0, 0x64, 0xff, 0x9b, 0, 1}, {0, 0x64, 0xff, 0x9b}, {0xfd, 0}, {0xfe, 0x80}, {}}
	for range 4000 {
		var b [16]byte
		for i := range b[:4+random.IntN(13)] { // often with zeros at the end
			b[i] = byte(random.UintN(256))
		}
		copy(b[:], prefixes[random.IntN(len(prefixes))])
		all = append(all, netip.AddrFrom16(b))
	}
	return all
}
