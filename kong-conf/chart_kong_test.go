package kongconf_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// zeros is how Kong writes the address ::. It leaves out "ssl" for streams, because it terminates TLS itself.
const zeros = "0000:0000:0000:0000:0000:0000:0000:0000"

// TestKongAcceptsTheChartsListeners lets a real Kong write its configuration from the variables that the chart sets,
// and nginx check it.
func TestKongAcceptsTheChartsListeners(t *testing.T) {
	kongtest.Need(t)
	for name, test := range map[string]struct {
		values string
		// want are lines of nginx's configuration.
		want []string
	}{
		"ipv6": {"ports: {ipv6: true}\n", []string{"listen [" + zeros + "]:8000 reuseport backlog=16384;", "listen [" + zeros + "]:8443 ssl reuseport backlog=16384;",
			"listen [::]:20020-20039 ssl reuseport", "listen [" + zeros + "]:20060 reuseport;", "listen [" + zeros + "]:20099 udp reuseport;", "listen [" + zeros + "]:8100;"}},
		"streams": {"ports: {streams: [{name: postgres, port: 5432}, {name: mqtt, port: 8883, tls: true}, {name: dns, port: 5353, protocol: UDP}]}\n",
			[]string{"listen 0.0.0.0:5432 reuseport;", "listen 0.0.0.0:8883 reuseport;", "listen 0.0.0.0:5353 udp reuseport;", "listen 0.0.0.0:20099 udp reuseport;"}},
		"https only": {"ports: {http: {enabled: false}, https: {port: 9443, containerPort: 9443}}\n", []string{"listen 0.0.0.0:9443 ssl reuseport"}},
		"no clients": {"ports: {http: {enabled: false}, https: {enabled: false}}\n", nil},
		"settings": {"kong: {nginx_worker_processes: 3, trusted_ips: [10.0.0.0/8, 192.0.2.0/24], real_ip_header: X-Forwarded-For}\n",
			[]string{"worker_processes 3;", "set_real_ip_from 192.0.2.0/24;", "real_ip_header X-Forwarded-For;"}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "ipv6" {
				if listener, err := net.Listen("tcp6", "[::]:0"); err != nil {
					t.Skipf("this machine has no IPv6: %v", err)
				} else {
					_ = listener.Close()
				}
			}
			g := prepare(t)
			// The listeners that the chart does not set are those of kong.conf. None is opened.
			for _, variable := range []string{"KONG_PROXY_LISTEN=", "KONG_NGINX_PROXY_LISTEN=", "KONG_STREAM_LISTEN=", "KONG_STATUS_LISTEN="} {
				for i, e := range g.Env {
					if strings.HasPrefix(e, variable) {
						g.Env[i] = "UNSET=1"
					}
				}
			}
			_, container := chartDeployment(t, test.values)
			for name, value := range environment(container) {
				if value != "" && name != "KONG_PREFIX" {
					g.Env = append(g.Env, name+"="+value)
				}
			}
			if err := errors.Join(g.Prepare(), g.Check()); err != nil {
				t.Fatal(err)
			}
			var made string
			for _, file := range []string{"nginx.conf", "nginx-kong.conf", "nginx-kong-stream.conf"} {
				made += readFile(t, filepath.Join(g.Prefix, file))
			}
			made = strings.Join(strings.Fields(made), " ")
			for _, line := range test.want {
				if !strings.Contains(made, line) {
					t.Errorf("nginx's configuration has no line %q", line)
				}
			}
		})
	}
}
