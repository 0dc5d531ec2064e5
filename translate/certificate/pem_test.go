package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// issued is a certificate with its key.
type issued struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (i issued) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw}))
}

// issue returns a certificate for a key; without an issuer, it is self-signed.
func issue(t *testing.T, name string, key crypto.Signer, by *issued) issued {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: !strings.Contains(name, "."),
	}
	if !template.IsCA {
		template.DNSNames = []string{name}
	}
	issuer := issued{template, key}
	if by != nil {
		issuer = *by
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.certificate, key.Public(), issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issued{parsed, key}
}

func curveKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func block(t *testing.T, name string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: name, Bytes: der}))
}

func pkcs8(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return block(t, "PRIVATE KEY", der, err)
}

// TestKeyPairs parses key pairs as tools export them. It wants the number of certificates, or an
// error.
func TestKeyPairs(t *testing.T) {
	root := issue(t, "root", curveKey(t, elliptic.P256()), nil)
	middle := issue(t, "middle", curveKey(t, elliptic.P256()), &root)
	own := curveKey(t, elliptic.P256())
	leaf := issue(t, "a.example", own, &middle)
	key := pkcs8(t, own)
	sec1, err := x509.MarshalECPrivateKey(own)
	old := block(t, "EC PRIVATE KEY", sec1, err)
	long := rsaKey(t, 2048)
	ofRSA := issue(t, "rsa.example", long, nil)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Split(middle.pem(), "\n")
	damaged[2] = "!!!!" + damaged[2][4:]
	with := func(extra string) []byte { return append(bytes.Clone(leaf.certificate.Raw), extra...) }

	const cut = "one is truncated or damaged"
	for name, tt := range map[string]struct {
		crt, key string
		length   int
		err      string
	}{
		"as it should be":          {leaf.pem() + middle.pem() + root.pem(), key, 3, ""},
		"the order reversed":       {root.pem() + middle.pem() + leaf.pem(), key, 3, ""},
		"authorities swapped":      {leaf.pem() + root.pem() + middle.pem(), key, 3, ""},
		"half a chain":             {leaf.pem() + middle.pem()[:200], key, 0, cut},
		"half a chain, no end":     {leaf.pem() + strings.TrimSuffix(middle.pem(), "-----END CERTIFICATE-----\n"), key, 0, cut},
		"a damaged chain":          {leaf.pem() + strings.Join(damaged, "\n"), key, 0, cut},
		"a begin without an end":   {leaf.pem() + "-----BEGIN NOISE-----\nnothing\n", key, 0, cut},
		"garbage in the chain":     {leaf.pem() + block(t, "CERTIFICATE", []byte{0, 0, 0}, nil), key, 0, "certificate 2 cannot be read"},
		"text around":              {"subject=CN = x\n" + leaf.pem() + "and that is all -----BEGIN \n", key, 1, ""},
		"bytes after the DER":      {block(t, "CERTIFICATE", with("\x00\x00"), nil), key, 1, ""},
		"OpenSSL's trust settings": {block(t, "TRUSTED CERTIFICATE", with("0\x00"), nil), key, 1, ""},
		"the old type":             {strings.ReplaceAll(leaf.pem(), "CERTIFICATE", "X509 CERTIFICATE"), key, 1, ""},
		"a byte order mark":        {"\ufeff" + leaf.pem(), "\ufeff" + key, 1, ""},
		"byte order marks within":  {"\ufeff" + leaf.pem() + "\ufeff" + middle.pem(), key, 2, ""},
		"CRLF":                     {strings.ReplaceAll(leaf.pem(), "\n", "\r\n"), strings.ReplaceAll(key, "\n", "\r\n"), 1, ""},
		"CR":                       {strings.ReplaceAll(leaf.pem(), "\n", "\r"), key, 0, "no certificate in PEM"},
		"indented":                 {"  " + strings.ReplaceAll(leaf.pem(), "\n", "\n  "), key, 0, "no certificate in PEM"},
		"headers":                  {strings.Replace(leaf.pem(), "-----\n", "-----\nComment: x\n\n", 1), key, 1, ""},
		"bytes that are no UTF-8":  {"friendlyName: \xe9\n" + leaf.pem() + "\x00", key, 1, ""},
		"the key beside":           {key + leaf.pem(), key, 1, ""},
		"the certificate beside":   {leaf.pem(), middle.pem() + key, 1, ""},
		"parameters and SEC 1":     {leaf.pem(), block(t, "EC PARAMETERS", []byte{6, 0}, nil) + old, 1, ""},
		"SEC 1 that says PKCS 8":   {leaf.pem(), strings.ReplaceAll(old, "EC PRIVATE", "PRIVATE"), 1, ""},
		"PKCS 1":                   {ofRSA.pem(), block(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(long), nil), 1, ""},
		"PKCS 1 that says PKCS 8":  {ofRSA.pem(), block(t, "PRIVATE KEY", x509.MarshalPKCS1PrivateKey(long), nil), 1, ""},
		"PKCS 8 that says PKCS 1":  {ofRSA.pem(), strings.ReplaceAll(pkcs8(t, long), "PRIVATE", "RSA PRIVATE"), 1, ""},
		"Ed25519":                  {issue(t, "ed.example", edwards, nil).pem(), pkcs8(t, edwards), 1, ""},
		"half a key":               {leaf.pem(), key[:60], 0, "no private key in PEM"},
		"an encrypted key":         {leaf.pem(), strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE"), 0, "is encrypted"},
		"a key that OpenSSL encrypts": {leaf.pem(), strings.Replace(old, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1), 0,
			"is encrypted"},
		"another key":          {leaf.pem(), pkcs8(t, curveKey(t, elliptic.P256())), 0, "belongs to no certificate"},
		"a key of no use":      {leaf.pem(), block(t, "PRIVATE KEY", []byte{1, 2}, nil), 0, "cannot be read"},
		"no key":               {leaf.pem(), "", 0, "no private key in PEM"},
		"nothing":              {"", "", 0, "no certificate in PEM"},
		"a reference":          {"{vault://env/" + leaf.pem() + "}", key, 0, "reference to a vault"},
		"Go cannot read it":    {block(t, "CERTIFICATE", []byte{0x30, 6, 0x30, 0, 0x30, 0, 3, 0}, nil), key, 0, "certificate 1 cannot be read"},
		"Go cannot read a CA":  {leaf.pem() + block(t, "CERTIFICATE", edit(t, middle.certificate.Raw, []int{signed, extensions, 0}, insert(t, -1, largeOID)), nil), key, 2, ""},
		"a malformed CA":       {leaf.pem() + block(t, "CERTIFICATE", edit(t, middle.certificate.Raw, []int{signed}, insert(t, extensions, "8100")), nil), key, 0, "certificate 2 cannot be read"},
		"the same once more":   {leaf.pem() + leaf.pem(), key, 2, ""},
		"another's authority":  {leaf.pem() + issue(t, "stranger", curveKey(t, elliptic.P256()), nil).pem() + middle.pem(), key, 3, ""},
		"without the root":     {leaf.pem() + middle.pem(), key, 2, ""},
		"DH parameters beside": {leaf.pem() + block(t, "DH PARAMETERS", []byte{1}, nil), key, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			pair, err := keyPairOf(&corev1.Secret{Data: map[string][]byte{"tls.crt": []byte(tt.crt), "tls.key": []byte(tt.key)}})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tls.X509KeyPair([]byte(encoded(pair.chain)), []byte(pair.key)); err != nil || len(pair.chain) != tt.length {
				t.Errorf("%d certificates, error %v", len(pair.chain), err)
			}
			for i := 1; i < len(pair.chain) && !strings.Contains(name, " CA") && !strings.Contains(name, "same"); i++ {
				if name != "another's authority" && !isIssuer(pair.chain[i].parsed, pair.chain[i-1].parsed) {
					t.Errorf("certificate %d is not the issuer's of the one before", i+1)
				}
			}
			if name == "another's authority" && pair.chain[2].parsed.Subject.CommonName != "stranger" {
				t.Errorf("the chain ends with %s", pair.chain[2].parsed.Subject)
			}
		})
	}
}

// TestStrength holds that certificates are refused that OpenSSL's security level refuses at each
// handshake.
func TestStrength(t *testing.T) {
	root := issue(t, "root", curveKey(t, elliptic.P256()), nil)
	signed := func(self bool, algorithm x509.SignatureAlgorithm) x509Certificate {
		c := *root.certificate
		c.SignatureAlgorithm, c.RawIssuer = algorithm, c.RawSubject
		if !self {
			c.RawIssuer = []byte("another")
		}
		return x509Certificate{parsed: &c}
	}
	of := func(key crypto.Signer) x509Certificate {
		return x509Certificate{parsed: issue(t, "a.example", key, &root).certificate}
	}
	for name, tt := range map[string]struct {
		certificate x509Certificate
		says        string
	}{
		"RSA 2048":        {of(rsaKey(t, 2048)), ""},
		"RSA 1024":        {of(rsaKey(t, 1024)), "has an RSA key of 1024 bits"},
		"P-224":           {of(curveKey(t, elliptic.P224())), ""},
		"SHA-256":         {signed(false, x509.ECDSAWithSHA256), ""},
		"SHA-1":           {signed(false, x509.ECDSAWithSHA1), "is signed with ECDSA-SHA1"},
		"SHA-1 by itself": {signed(true, x509.ECDSAWithSHA1), ""},
		"MD5":             {signed(false, x509.MD5WithRSA), "is signed with MD5-RSA"},
		"unread":          {x509Certificate{}, ""},
	} {
		err := Options{}.weakness([]x509Certificate{{parsed: root.certificate}, tt.certificate})
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), "certificate 2") || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", name, err)
		}
		if err := (Options{AllowWeak: true}).weakness([]x509Certificate{tt.certificate}); err != nil {
			t.Errorf("%s where Kong accepts it: %v", name, err)
		}
	}
}

// TestAuthorities parses CA certificates, as one for Kong and as a bundle.
func TestAuthorities(t *testing.T) {
	root := issue(t, "root", curveKey(t, elliptic.P256()), nil)
	other := issue(t, "other", curveKey(t, elliptic.P256()), nil)
	leaf := issue(t, "a.example", curveKey(t, elliptic.P256()), &root)
	weak := issue(t, "weak", rsaKey(t, 1024), nil)
	for name, tt := range map[string]struct {
		text            string
		one             string // the error as one CA certificate for Kong
		bundle          int    // the number in a bundle
		bundleErr       string
		allowWeak, same bool
	}{
		"one":               {text: root.pem(), bundle: 1, same: true},
		"a byte order mark": {text: "\ufeff" + root.pem(), bundle: 1, same: true},
		"text around":       {text: "-----BEGIN CERTIFICATE----- as OpenSSL writes it\n" + root.pem() + "end\n", bundle: 1, same: true},
		"CRLF":              {text: strings.ReplaceAll(root.pem(), "\n", "\r\n"), bundle: 1, same: true},
		"the old type":      {text: strings.ReplaceAll(root.pem(), "CERTIFICATE", "X509 CERTIFICATE"), bundle: 1, same: true},
		"several":           {text: root.pem() + other.pem(), one: "one at a time", bundle: 2},
		"half of the other": {text: root.pem() + other.pem()[:200], one: "truncated", bundleErr: "truncated"},
		"a key":             {text: root.pem() + pkcs8(t, other.key), bundle: 0, bundleErr: "something other than certificates", same: true},
		"none":              {text: "x", one: "no certificate", bundleErr: "no certificate"},
		"no authority":      {text: leaf.pem(), one: "not a CA certificate", bundle: 1},
		"a short key":       {text: weak.pem(), one: "RSA key of 1024 bits", bundle: 1},
		"a short key taken": {text: weak.pem(), bundle: 1, allowWeak: true},
		"Go cannot read it": {text: block(t, "CERTIFICATE", []byte{0x30, 6, 0x30, 0, 0x30, 0, 3, 0}, nil), one: "cannot be read", bundleErr: "cannot be read"},
	} {
		ca, err := Options{AllowWeak: tt.allowWeak}.caOf(func(field string) string { return map[string]string{"ca.crt": tt.text}[field] })
		if tt.one == "" && err != nil || tt.one != "" && (err == nil || !strings.Contains(err.Error(), tt.one)) {
			t.Errorf("%s: error %v, want %q", name, err, tt.one)
		}
		if tt.same && ca.Cert != root.pem() {
			t.Errorf("%s: the encoding differs from the others", name)
		}
		all, err := bundleOf([]byte(tt.text))
		if tt.bundleErr == "" && err != nil || tt.bundleErr != "" && (err == nil || !strings.Contains(err.Error(), tt.bundleErr)) || len(all) != tt.bundle {
			t.Errorf("%s: %d in a bundle, error %v; want %d, %q", name, len(all), err, tt.bundle, tt.bundleErr)
		}
	}
}
