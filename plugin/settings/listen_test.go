package settings

import (
	"fmt"
	"reflect"
	"testing"
)

func TestKongListens(t *testing.T) {
	got, err := kongListens(map[string]string{
		"proxy_listen":       "0.0.0.0:8000 reuseport backlog=16384, [::]:8443 http2 ssl",
		"nginx_proxy_listen": "0.0.0.0:20000-20019 reuseport; listen 0.0.0.0:20020-20039 ssl reuseport",
		"stream_listen":      "0.0.0.0:9000, 0.0.0.0:9443 ssl,0.0.0.0:9053 udp",
	})
	want := []Listen{
		{Ports: Ports{8000, 8000}},
		{Ports: Ports{8443, 8443}, TLS: true},
		{Ports: Ports{20000, 20019}},
		{Ports: Ports{20020, 20039}, TLS: true},
		{Ports: Ports{9000, 9000}, Stream: true},
		{Ports: Ports{9443, 9443}, Stream: true, TLS: true},
		{Ports: Ports{9053, 9053}, Stream: true, UDP: true},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Kong listens at\n%+v, %v, want\n%+v", got, err, want)
	}
	if got, err := kongListens(map[string]string{"stream_listen": "off", "nginx_proxy_listen": "unix:/a"}); len(got) != 0 || err != nil {
		t.Errorf("Kong listens at %+v, %v, want nowhere", got, err)
	}
	if _, err := kongListens(map[string]string{"proxy_listen": "0.0.0.0:http"}); err == nil {
		t.Error("an invalid port is not an error")
	}
}

func TestGatewayPorts(t *testing.T) {
	var s Settings
	if err := setGatewayPorts(&s, "20000-20099, 9000"); err != nil || !reflect.DeepEqual(s.GatewayPorts, []Ports{{20000, 20099}, {9000, 9000}}) {
		t.Errorf("got %+v, %v", s.GatewayPorts, err)
	}
	for _, wrong := range []string{"", "0", "9-8", "a-b", "70000", "1-2-3"} {
		if err := setGatewayPorts(&s, wrong); err == nil {
			t.Errorf("%q is not an error", wrong)
		}
	}
}

func TestPortMaps(t *testing.T) {
	for text, want := range map[string]string{
		"": "map[]", "80:8000, 443:8443": "map[8000:80 8443:443]", "80": "wrong", "a:8000": "wrong", "80:8000,": "map[8000:80]",
	} {
		got, err := portMaps(text)
		told := fmt.Sprint(got)
		if err != nil {
			told = "wrong"
		}
		if told != want {
			t.Errorf("%q: %s, %v; want %s", text, told, err, want)
		}
	}
}
