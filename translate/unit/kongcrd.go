package unit

// Kong's kinds for plugins, consumers and what else an administrator of Kong has.
const (
	KongPlugin        Kind = "KongPlugin"
	KongClusterPlugin Kind = "KongClusterPlugin"
	KongConsumer      Kind = "KongConsumer"
	KongConsumerGroup Kind = "KongConsumerGroup"
	KongVault         Kind = "KongVault"
	KongCustomEntity  Kind = "KongCustomEntity"
	KongLicense       Kind = "KongLicense"
)
