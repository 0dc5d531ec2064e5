package certificate

import (
	"errors"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Go skips parts of a certificate that OpenSSL parses, and ignores what follows the last known
// element of a sequence. OpenSSL refuses such certificates, so this file checks their structure
// by RFC 5280.

var errShape = errors.New("it does not have the DER structure that RFC 5280 defines for certificates")

// checkShape returns an error if the elements of a certificate in DER are not exactly those of
// RFC 5280.
func checkShape(der []byte) error {
	var certificate, signed elements
	if all := (elements{String: der}); all.sequence(&certificate) && all.Empty() &&
		certificate.sequence(&signed) && signed.isSigned() &&
		certificate.algorithm() && certificate.bits(tag.BIT_STRING) && certificate.Empty() {
		return nil
	}
	return errShape
}

// elements are the unread elements of a sequence or set. Methods read the next ones and report
// whether they are well-formed.
type elements struct{ cryptobyte.String }

func (e *elements) sequence(content *elements) bool {
	return e.ReadASN1(&content.String, tag.SEQUENCE)
}

// isSigned reads all of a TBSCertificate.
func (e *elements) isSigned() bool {
	var validity, key elements
	return e.version() && e.integer() && e.algorithm() &&
		e.name() && e.sequence(&validity) && validity.skip() && validity.skip() && validity.Empty() && e.name() &&
		e.sequence(&key) && key.algorithm() && key.bits(tag.BIT_STRING) && key.Empty() &&
		e.uniqueID(1) && e.uniqueID(2) && e.extensions() && e.Empty()
}

func (e *elements) version() bool {
	var version elements
	var present bool
	return e.ReadOptionalASN1(&version.String, &present, tag.Tag(0).Constructed().ContextSpecific()) &&
		(!present || version.integer() && version.Empty())
}

func (e *elements) integer() bool { return e.ReadASN1Integer(new(big.Int)) }

// skip reads an element of any kind.
func (e *elements) skip() bool {
	var element cryptobyte.String
	return e.ReadAnyASN1(&element, new(tag.Tag))
}

// oid reads an object identifier, which may be too large for Go.
func (e *elements) oid() bool {
	var content cryptobyte.String
	if !e.ReadASN1(&content, tag.OBJECT_IDENTIFIER) || content.Empty() {
		return false
	}
	const more = 0x80 // set in all bytes of a number except the last
	first := true
	for _, b := range content {
		if first && b == more {
			return false // a leading zero
		}
		first = b&more == 0
	}
	return first
}

// algorithm reads an AlgorithmIdentifier. No algorithm has parameters of other types.
func (e *elements) algorithm() bool {
	var algorithm elements
	if !e.sequence(&algorithm) || !algorithm.oid() {
		return false
	}
	var parameters cryptobyte.String
	switch {
	case algorithm.PeekASN1Tag(tag.NULL):
		return algorithm.ReadASN1(&parameters, tag.NULL) && parameters.Empty() && algorithm.Empty()
	case algorithm.PeekASN1Tag(tag.OBJECT_IDENTIFIER):
		return algorithm.oid() && algorithm.Empty()
	case algorithm.PeekASN1Tag(tag.SEQUENCE):
		return algorithm.skip() && algorithm.Empty()
	}
	return algorithm.Empty()
}

func (e *elements) name() bool {
	var name elements
	if !e.sequence(&name) {
		return false
	}
	for !name.Empty() {
		var set elements
		if !name.ReadASN1(&set.String, tag.SET) {
			return false
		}
		for !set.Empty() {
			var attribute elements
			if !set.sequence(&attribute) || !attribute.oid() || !attribute.skip() || !attribute.Empty() {
				return false
			}
		}
	}
	return true
}

// bits reads a bit string: a number of unused bits, and bytes.
func (e *elements) bits(t tag.Tag) bool {
	var content cryptobyte.String
	var unused uint8
	return e.ReadASN1(&content, t) && content.ReadUint8(&unused) && unused <= 7
}

// uniqueID reads the issuerUniqueID or the subjectUniqueID, if there is one.
func (e *elements) uniqueID(number uint8) bool {
	t := tag.Tag(number).ContextSpecific()
	return !e.PeekASN1Tag(t) || e.bits(t)
}

func (e *elements) extensions() bool {
	var explicit, all elements
	var present bool
	if !e.ReadOptionalASN1(&explicit.String, &present, tag.Tag(3).Constructed().ContextSpecific()) {
		return false
	}
	if !present {
		return true
	}
	if !explicit.sequence(&all) || !explicit.Empty() {
		return false
	}
	for !all.Empty() {
		var extension elements
		if !all.sequence(&extension) || !extension.isExtension() {
			return false
		}
	}
	return true
}

func (e *elements) isExtension() bool {
	var value cryptobyte.String
	return e.oid() &&
		(!e.PeekASN1Tag(tag.BOOLEAN) || e.ReadASN1Boolean(new(bool))) &&
		e.ReadASN1(&value, tag.OCTET_STRING) && e.Empty()
}
