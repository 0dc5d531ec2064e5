package inspect

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// certificates returns the certificates that Kong presents to clients, by expiry.
func (c *catalog) certificates() []Certificate {
	certificates := []Certificate{}
	for ref, e := range c.entities {
		if ref.Type != kong.Certificates {
			continue
		}
		certificate := readCertificate(e)
		for _, child := range c.children[ref] {
			if child.Type == kong.SNIs {
				certificate.ServerNames = append(certificate.ServerNames, child.Name)
			}
		}
		if len(certificate.ServerNames) > 0 { // others are client certificates for backends
			slices.Sort(certificate.ServerNames)
			certificates = append(certificates, certificate)
		}
	}
	slices.SortFunc(certificates, func(a, b Certificate) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), cmp.Compare(a.ServerNames[0], b.ServerNames[0]))
	})
	return certificates
}

func readCertificate(e held) Certificate {
	certificate := Certificate{Object: objectOf(e.object), ServerNames: []string{}}
	var fields struct {
		Cert string   `json:"cert"`
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(e.JSON, &fields); err != nil {
		certificate.Unreadable = err.Error()
		return certificate
	}
	if tagged, ok := objectOfTags(fields.Tags); ok {
		certificate.Object = tagged
	}
	block, _ := pem.Decode([]byte(fields.Cert))
	if block == nil {
		certificate.Unreadable = "it has no PEM block"
		return certificate
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		certificate.Unreadable = err.Error()
		return certificate
	}
	certificate.Subject, certificate.Names, certificate.NotAfter = parsed.Subject.String(), parsed.DNSNames, parsed.NotAfter
	return certificate
}
