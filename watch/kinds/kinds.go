package kinds

import "slices"

// All returns all kinds that the translation reads.
func All() []Kind { return slices.Concat(core, kongRouting, gatewayAPI, kongPlugins) }
