package settings

import "testing"

func TestWeakTLS(t *testing.T) {
	for name, tt := range map[string]struct {
		kong map[string]string
		want bool
	}{
		"default":         {map[string]string{"ssl_cipher_suite": "intermediate", "ssl_ciphers": "ECDHE-RSA-AES128-GCM-SHA256"}, false},
		"unknown":         {nil, false},
		"old":             {map[string]string{"ssl_cipher_suite": "old", "ssl_ciphers": "AES128-SHA"}, true},
		"old and strict":  {map[string]string{"ssl_cipher_suite": "old", "nginx_http_ssl_conf_command": "CipherString DEFAULT:@SECLEVEL=2"}, false},
		"own":             {map[string]string{"ssl_cipher_suite": "custom", "ssl_ciphers": "DEFAULT:@SECLEVEL=1"}, true},
		"own and default": {map[string]string{"ssl_cipher_suite": "custom", "ssl_ciphers": "DEFAULT@SECLEVEL=2"}, false},
	} {
		if got := allowsWeakTLS(tt.kong); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
