package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority issues the certificates of one control plane: its own, the API
// server's, etcd's and the administrator's. They live as long as the demo.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

const certificateLife = 365 * 24 * time.Hour

func newAuthority(dir string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a := &authority{dir: dir, cert: &x509.Certificate{
		Subject:               pkix.Name{CommonName: "oidc-operator demo"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(certificateLife),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}}
	var err error
	if a.key, err = a.newKey("ca"); err != nil {
		return nil, err
	}
	return a, a.sign("ca", a.cert, a.key)
}

// issue writes name.crt and name.key, for a server on loopback and for a client
// that Kubernetes knows as the user and the group.
func (a *authority) issue(name, user, group string) error {
	cert := &x509.Certificate{
		Subject:     pkix.Name{CommonName: user},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(certificateLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if group != "" {
		cert.Subject.Organization = []string{group}
	}
	key, err := a.newKey(name)
	if err != nil {
		return err
	}
	return a.sign(name, cert, key)
}

// newKey makes a key and writes name.key.
func (a *authority) newKey(name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(a.keyFile(name), "EC PRIVATE KEY", der)
}

func (a *authority) sign(name string, cert *x509.Certificate, key *ecdsa.PrivateKey) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	cert.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return err
	}
	return writePEM(a.certFile(name), "CERTIFICATE", der)
}

func (a *authority) certFile(name string) string { return filepath.Join(a.dir, name+".crt") }

func (a *authority) keyFile(name string) string { return filepath.Join(a.dir, name+".key") }

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
