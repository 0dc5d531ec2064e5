package settings

import "regexp"

// securityLevel is how an OpenSSL cipher string says its level.
var securityLevel = regexp.MustCompile(`@SECLEVEL=(\d)`)

// weakTLS reports whether Kong takes keys and signatures that OpenSSL by default does not.
// Kong lowers the level for its cipher suite "old", and whoever writes the ciphers may.
func weakTLS(kong map[string]string) bool {
	for _, name := range []string{"nginx_http_ssl_conf_command", "ssl_ciphers"} {
		if said := securityLevel.FindStringSubmatch(kong[name]); said != nil {
			return said[1] < "2"
		}
	}
	return kong["ssl_cipher_suite"] == "old"
}
