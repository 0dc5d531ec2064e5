// Package kong turns the model into Kong's entities: names, ids and tags. Names and ids are those of
// the Kong Ingress Controller.
package kong
