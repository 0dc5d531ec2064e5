package certificate

import (
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
)

// edit changes the elements of a sequence at a path of indexes.
func edit(t *testing.T, der []byte, path []int, change func([][]byte) [][]byte) []byte {
	t.Helper()
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		t.Fatal(err)
	}
	var parts [][]byte
	for rest := whole.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part.FullBytes)
	}
	if len(path) == 0 {
		parts = change(parts)
	} else {
		parts[path[0]] = edit(t, parts[path[0]], path[1:], change)
	}
	whole.Bytes, whole.FullBytes = nil, nil
	for _, part := range parts {
		whole.Bytes = append(whole.Bytes, part...)
	}
	der, err := asn1.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Indexes of elements: of a certificate's signed part, and in it.
const signed, validity, subject, key, extensions = 0, 4, 5, 6, 7

// insert adds an element, in hexadecimal, before an index; -1 is the end.
func insert(t *testing.T, at int, element string) func([][]byte) [][]byte {
	t.Helper()
	der, err := hex.DecodeString(element)
	if err != nil {
		t.Fatal(err)
	}
	return func(parts [][]byte) [][]byte {
		if at < 0 {
			return append(parts, der)
		}
		return slices.Insert(slices.Clone(parts), at, der)
	}
}

// largeOID is an extension that Go cannot parse.
var largeOID = "301b061569" + strings.Repeat("8f", 19) + "0104020500"

// TestShape parses certificates with elements that Go skips. OpenSSL refuses all of the malformed
// ones (openssl x509 -inform DER), and accepts the others.
func TestShape(t *testing.T) {
	root := issue(t, "root", curveKey(t, elliptic.P256()), nil).certificate.Raw
	for name, tt := range map[string]struct {
		path      []int
		at        int
		element   string
		malformed bool
	}{
		"as it is issued":                    {[]int{signed}, extensions, "", false},
		"an issuerUniqueID":                  {[]int{signed}, extensions, "810200aa", false},
		"both unique IDs":                    {[]int{signed}, extensions, "810200aa820204a0", false},
		"an empty bit string":                {[]int{signed}, extensions, "820100", false},
		"an issuerUniqueID without content":  {[]int{signed}, extensions, "8100", true},
		"a subjectUniqueID without content":  {[]int{signed}, extensions, "8200", true},
		"more unused bits than a byte has":   {[]int{signed}, extensions, "810208aa", true},
		"unused bits of nothing":             {[]int{signed}, extensions, "810103", false},
		"unique IDs in the wrong order":      {[]int{signed}, extensions, "820200aa810200aa", true},
		"an element after the signature":     {nil, -1, "0500", true},
		"an element after the extensions":    {[]int{signed}, -1, "0500", true},
		"another list of extensions":         {[]int{signed, extensions}, -1, "3000", true},
		"an element after an extension":      {[]int{signed, extensions, 0, 0}, -1, "0500", true},
		"an element after the version":       {[]int{signed, 0}, -1, "0500", true},
		"an element after the validity":      {[]int{signed, validity}, -1, "0500", true},
		"an element after the key":           {[]int{signed, key}, -1, "0500", true},
		"a second parameter of the key":      {[]int{signed, key, 0}, -1, "0500", true},
		"an element in a name's attribute":   {[]int{signed, subject, 0, 0}, -1, "0500", true},
		"an extension without a value":       {[]int{signed, extensions, 0}, -1, "300306012a", true},
		"an object identifier that is large": {[]int{signed, extensions, 0}, -1, largeOID, false},
		"an object identifier that is cut":   {[]int{signed, extensions, 0}, -1, "300706022a8f04010a", true},
		"an object identifier with a zero":   {[]int{signed, extensions, 0}, -1, "300806032a800104010a", true},
	} {
		der := edit(t, root, tt.path, insert(t, tt.at, tt.element))
		if err := checkShape(der); (err != nil) != tt.malformed {
			t.Errorf("%s: error %v", name, err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if _, err := bundleOf(text); tt.malformed && (err == nil || !strings.Contains(err.Error(), "certificate 1 cannot be read")) {
			t.Errorf("%s: in a bundle: %v", name, err)
		}
	}
	for name, signature := range map[string]struct {
		algorithm string
		malformed bool
	}{
		"no parameters":              {"300306012a", false},
		"NULL":                       {"300506012a0500", false},
		"an object identifier":       {"300606012a06012a", false},
		"a sequence":                 {"300806012a3003020101", false},
		"two parameters":             {"300706012a05000500", true},
		"NULL with content":          {"300606012a050100", true},
		"an empty object identifier": {"300506012a0600", true},
		"a boolean without content":  {"300506012a0100", true},
	} {
		replaced := func(at int) func([][]byte) [][]byte {
			return func(parts [][]byte) [][]byte {
				return insert(t, at, signature.algorithm)(slices.Delete(slices.Clone(parts), at, at+1))
			}
		}
		der := edit(t, edit(t, root, nil, replaced(1)), []int{signed}, replaced(2))
		if err := checkShape(der); (err != nil) != signature.malformed {
			t.Errorf("an algorithm with %s: error %v", name, err)
		}
	}
}
