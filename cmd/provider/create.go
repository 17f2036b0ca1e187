package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// group makes a command that only holds others.
func group(name, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short}
	cmd.AddCommand(children...)
	return cmd
}

func userCommand() *cobra.Command {
	var dir string
	var passwordStdin bool
	u := registration.User{}
	cmd := &cobra.Command{
		Use:   "create USERNAME",
		Short: "Register a user and print the name and, unless it was given, a new password, which is not kept anywhere else",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			u.Username = args[0]
			u.Subject = strings.ToLower(rand.Text())
			u.UpdatedAt = time.Now().Unix()
			answer := map[string]string{"username": u.Username, "sub": u.Subject}
			password := newSecret()
			if passwordStdin {
				line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read password: %w", err)
				}
				if password = strings.TrimRight(line, "\r\n"); password == "" {
					return errors.New("the password on standard input is empty")
				}
				if len(password) > registration.MaxPasswordBytes {
					return fmt.Errorf("the password on standard input is longer than %d bytes", registration.MaxPasswordBytes)
				}
			} else {
				answer["password"] = password
			}
			if u.PasswordHash = password; !registration.IsPasswordHash(password) {
				u.PasswordHash = registration.HashPassword(registration.PreparePassword(password))
			} else if err := registration.ValidatePasswordHash(password); err != nil {
				return fmt.Errorf("what looks like a password hash on standard input %w", err)
			}
			return create(cmd.OutOrStdout(), dir, registration.FoldUsername(u.Username), registration.KindUser, &u, answer)
		},
	}
	f := cmd.Flags()
	registrationsFlag(cmd, &dir)
	f.StringVar(&u.Name, "name", "", "full name")
	f.StringVar(&u.GivenName, "given-name", "", "given name")
	f.StringVar(&u.FamilyName, "family-name", "", "family name")
	f.StringVar(&u.Email, "email", "", "e-mail address")
	f.BoolVar(&u.EmailVerified, "email-verified", false, "the e-mail address is known to be theirs")
	f.StringVar(&u.PhoneNumber, "phone-number", "", "phone number, as +1 555 0100")
	f.StringArrayVar(&u.Groups, "group", nil, "group that the user belongs to (may be repeated)")
	f.BoolVar(&passwordStdin, "password-stdin", false, "read the password from the first line of standard input")
	return group("user", "Registrations of users", cmd)
}

func keyCommand() *cobra.Command {
	var dir, algorithm string
	var rsaBits int
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a signing key and print its ID",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kid, jwk, err := keys.Generate(algorithm, rsaBits)
			if err != nil {
				return err
			}
			now := time.Now().UTC().Truncate(time.Second)
			doc := &registration.SigningKey{Name: args[0], Algorithm: algorithm, CreatedAt: now, Keys: []registration.Key{{
				KeyID: kid, Phase: registration.PhaseActive, CreatedAt: now, ActivatedAt: now, PrivateJWK: jwk,
			}}}
			return create(cmd.OutOrStdout(), dir, args[0], registration.KindSigningKey, doc, map[string]string{"kid": kid, "alg": algorithm})
		},
	}
	registrationsFlag(cmd, &dir)
	cmd.Flags().StringVar(&algorithm, "algorithm", "RS256", "one of "+strings.Join(registration.Algorithms(), " "))
	cmd.Flags().IntVar(&rsaBits, "rsa-bits", registration.MinRSABits, "size of an RSA key: 2048 to 4096")
	return group("key", "Signing keys", cmd)
}

func registrationsFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "registrations", "registrations", "directory of registration files; made when it is not there")
}

// newSecret returns 32 random letters and digits, 190 bits: characters that every configuration file and form takes as they are.
func newSecret() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	secret := make([]byte, 0, 32)
	for len(secret) < cap(secret) {
		var raw [64]byte
		_, _ = rand.Read(raw[:]) // never fails: the program is stopped instead
		for _, b := range raw {
			// Bytes beyond the last multiple of 62 are skipped, so that every character is as likely as the others.
			if limit := 256 / len(alphabet) * len(alphabet); int(b) < limit && len(secret) < cap(secret) {
				secret = append(secret, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(secret)
}

// create writes a document that is not there yet and prints the answer as JSON. Only of settings there is no more than one,
// without a name.
func create(out io.Writer, dir, name string, kind registration.Kind, doc registration.Document, answer map[string]string) error {
	if err := doc.Validate(); err != nil {
		return err
	}
	file := kind.File()
	if kind != registration.KindSettings {
		if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return fmt.Errorf("the name %q cannot be a file's", name)
		}
		file = name + "." + file
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("marshal document: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create registrations directory: %w", err)
	}
	if err := writeNew(filepath.Join(dir, file), append(data, '\n')); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(answer)
}

// writeNew writes a file that must not be there yet: complete or not at all, and for nobody else's eyes.
func writeNew(path string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // the link is what stays
	_, writeErr := temporary.Write(data)
	if err := errors.Join(writeErr, temporary.Sync(), temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = os.Link(temporary.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; remove it first", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
