package settings

import "regexp"

// securityLevel matches the level in an OpenSSL cipher string.
var securityLevel = regexp.MustCompile(`@SECLEVEL=(\d)`)

// allowsWeakTLS reports whether Kong permits keys and signatures that OpenSSL rejects by default.
// Kong lowers the level for its cipher suite "old", and an operator may lower it in ssl_ciphers.
func allowsWeakTLS(kong map[string]string) bool {
	for _, name := range []string{"nginx_http_ssl_conf_command", "ssl_ciphers"} {
		if said := securityLevel.FindStringSubmatch(kong[name]); said != nil {
			return said[1] < "2"
		}
	}
	return kong["ssl_cipher_suite"] == "old"
}
