// Package consumer translates KongConsumers with their credentials, and answers
// KongConsumerGroups.
//
// A consumer is a unit. What it shares with all others, its names and the keys of its
// credentials, is contested: the oldest consumer has it. A consumer without its names
// has no credentials either, which in Kong would be those of the one that has them.
package consumer
