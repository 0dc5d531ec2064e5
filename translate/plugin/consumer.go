package plugin

import "github.com/kube-sync/kube-sync/translate/kong"

// allowsConsumer reports whether Kong allows a plugin of that name for single consumers.
func allowsConsumer(name string) bool {
	schema, _ := kong.Bundled(name)
	return !schema.NoConsumer
}
