package gateway

import (
	"crypto/md5" //nolint:gosec // it guards against nothing
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// hashOf is the hash that Kong gives to a body.
func hashOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // Kong's choice
	return hex.EncodeToString(sum[:])
}

// sum is a hash of a set of entities that a change of one entity changes at no cost:
// the sum of the entities' own. Kong keeps it beside the configuration, so that a
// kube-sync that starts anew knows whether Kong has what it would send.
type sum struct{ high, low uint64 }

func sumOf(entities []*kong.Entity) sum {
	var s sum
	for _, e := range entities {
		s.add(e)
	}
	return s
}

func (s *sum) add(e *kong.Entity) {
	if e.Type.Local() { // Kong does not notice
		return
	}
	high, low := hashEntity(e)
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high, _ = bits.Add64(s.high, high, carry)
}

func (s *sum) remove(e *kong.Entity) {
	if e.Type.Local() {
		return
	}
	high, low := hashEntity(e)
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, low, 0)
	s.high, _ = bits.Sub64(s.high, high, borrow)
}

func hashEntity(e *kong.Entity) (high, low uint64) {
	digest := md5.New() //nolint:gosec // see above
	digest.Write([]byte(e.Type))
	digest.Write(e.JSON)
	var out [md5.Size]byte
	digest.Sum(out[:0])
	return binary.BigEndian.Uint64(out[:8]), binary.BigEndian.Uint64(out[8:])
}

// String has the form of Kong's own hashes. It is never the one of a Kong without a
// configuration.
func (s sum) String() string {
	if s == (sum{}) {
		return fmt.Sprintf("%032x", 1)
	}
	return fmt.Sprintf("%016x%016x", s.high, s.low)
}
