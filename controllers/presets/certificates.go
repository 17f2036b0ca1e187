package presets

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// checkCertificates returns an error that names field when text is not a series of certificates in PEM: applications do not
// start with one that they cannot read. The empty text is in order.
func checkCertificates(field, text string) error {
	for rest := []byte(text); len(strings.TrimSpace(string(rest))) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return fmt.Errorf("%s must hold certificates in PEM and nothing else", field)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("%s holds a certificate that cannot be read (%w); replace it", field, err)
		}
	}
	return nil
}
