package inspect

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/kong"
)

// certificates returns the certificates that Kong presents to clients, by expiry.
func (c *catalog) certificates() []Certificate {
	certificates := []Certificate{}
	for ref, e := range c.entities {
		if ref.Type != kong.Certificates {
			continue
		}
		read := readCertificate(e)
		for _, child := range c.children[ref] {
			if child.Type == kong.SNIs {
				read.ServerNames = append(read.ServerNames, child.Name)
			}
		}
		if len(read.ServerNames) > 0 { // others are client certificates for backends
			slices.Sort(read.ServerNames)
			certificates = append(certificates, read)
		}
	}
	slices.SortFunc(certificates, func(a, b Certificate) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), cmp.Compare(a.ServerNames[0], b.ServerNames[0]))
	})
	return certificates
}

func readCertificate(e held) Certificate {
	read := Certificate{Object: objectOf(e.object), ServerNames: []string{}}
	var fields struct {
		Cert string   `json:"cert"`
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(e.JSON, &fields); err != nil {
		read.Unreadable = err.Error()
		return read
	}
	if tagged, ok := objectOfTags(fields.Tags); ok {
		read.Object = tagged
	}
	leaf, err := certificate.Leaf(fields.Cert)
	if err != nil {
		read.Unreadable = err.Error()
		return read
	}
	read.Subject, read.Names, read.NotAfter = leaf.Subject.String(), leaf.DNSNames, leaf.NotAfter
	return read
}
