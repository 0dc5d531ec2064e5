// Package consumer translates KongConsumers with their credentials, and rejects
// KongConsumerGroups.
//
// A consumer is a unit. Its names and the keys of its credentials are unique among all consumers:
// the oldest consumer gets them. A consumer that does not get its names has no credentials
// either: in Kong, these would belong to the one that has the names.
package consumer
