package plugin

import "github.com/kube-sync/kube-sync/translate/kong"

// takesConsumer reports whether Kong takes a plugin of that name for single consumers.
func takesConsumer(name string) bool {
	schema, _ := kong.Bundled(name)
	return !schema.NoConsumer
}
