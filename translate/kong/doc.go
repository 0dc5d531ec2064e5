// Package kong turns the model into Kong's entities: names, ids, tags, expressions and
// priorities. Names and ids are those of the Kong Ingress Controller.
package kong
