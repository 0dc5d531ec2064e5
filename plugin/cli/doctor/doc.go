// Package doctor examines everything that stops a first install, or makes a bad day: definitions,
// rights, classes, the Service in front of the gateway, its pods, Kong, and limits. Each finding says
// that something is in order, or what to do.
//
// It works on a cluster from outside, with the credentials of a person, and inside the gateway's
// container, where it also asks Kong. What cannot be examined from where it runs is a finding too.
// It only reads, and it asks the API server what the gateway's account may do.
//
// Words of this package:
//
//   - patient: a gateway that is examined: the pods of one release, and their settings
//   - inside: in the container of a gateway, beside its Kong
package doctor
