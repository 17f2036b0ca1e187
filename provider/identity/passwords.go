package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Passwords keeps those that people have chosen. A store.Store does.
type Passwords interface {
	Password(ctx context.Context, subject string) (store.Password, error)
	PutPassword(ctx context.Context, p store.Password) error
	UseOnce(ctx context.Context, h store.Handle, now, expiresAt time.Time) error
}

// PasswordChanger is an Authenticator whose people can choose another password.
type PasswordChanger interface {
	Authenticator
	// ChangePassword puts next in the place of current. ErrRejected: that is not the user's password. ErrBusy: it is being changed
	// elsewhere, or too many logins are waiting. Whether next is any good is not looked at, see CheckChoice.
	ChangePassword(ctx context.Context, user *registration.User, current, next string) error
}

// Credential names what an administrator has registered as a user's password, by a digest of its hash, which has a salt of
// its own. What a person chooses later does not change it.
func Credential(user *registration.User) string { return nameOf(user.PasswordHash) }

func nameOf(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// CurrentHash returns the hash of the password that counts: the one that the person has chosen, unless the administrator has
// registered another one since. It is empty when there is none.
func CurrentHash(ctx context.Context, passwords Passwords, user *registration.User) (string, error) {
	chosen, err := passwords.Password(ctx, user.Subject)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("read password: %w", err)
	}
	if err == nil && user.PasswordHash != "" && chosen.Replaces == Credential(user) {
		return chosen.Hash, nil
	}
	return user.PasswordHash, nil
}

// ChangePassword implements PasswordChanger.
func (l *Local) ChangePassword(ctx context.Context, user *registration.User, current, next string) error {
	hash, err := CurrentHash(ctx, l.Passwords, user)
	if err != nil {
		return err
	}
	if _, err := l.verify(ctx, hash, current); err != nil {
		return err
	}
	return l.put(ctx, user, hash, next, l.Now())
}

// notChanged is when a password was changed that was only hashed anew.
func notChanged() time.Time { return time.UnixMicro(0) }

// Outdated tells whether a person has chosen another password since who was proven with one.
func Outdated(ctx context.Context, passwords Passwords, user *registration.User, who Identity) (bool, error) {
	chosen, err := passwords.Password(ctx, user.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read password: %w", err)
	}
	return who.Credential != "" && chosen.Replaces == Credential(user) && nameOf(chosen.Hash) != who.Credential && chosen.ChangedAt.After(notChanged()), nil
}

// upgrade hashes a password anew, which is no change of the password. When it is being changed meanwhile, there is nothing to do.
func (l *Local) upgrade(ctx context.Context, user *registration.User, from, password string) error {
	err := l.put(ctx, user, from, password, notChanged())
	if errors.Is(err, ErrBusy) || errors.Is(err, ErrRejected) {
		return nil
	}
	return err
}

// For how long nobody else may change a password, and how long the change itself may take.
const (
	changeLock  = 3 * time.Second
	changeLimit = time.Second
)

// put stores a password in the place of the one that has the hash from. Of two that do so at a time one gets ErrBusy, here or on
// another replica: without that, hashing an old password anew could bring it back after it was changed.
func (l *Local) put(ctx context.Context, user *registration.User, from, password string, changedAt time.Time) error {
	var hash string
	if err := l.Pool.Do(ctx, 1, func() { hash = l.Hash(registration.PreparePassword(password)) }); err != nil {
		return err
	}
	now := l.Now()
	err := l.Passwords.UseOnce(ctx, store.HandleOf("password of "+user.Subject), now, now.Add(changeLock))
	if errors.Is(err, store.ErrReplayed) {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("lock password: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	still, err := CurrentHash(ctx, l.Passwords, user)
	if err != nil {
		return err
	}
	if still != from {
		return ErrRejected // changed since it was checked
	}
	err = l.Passwords.PutPassword(ctx, store.Password{Subject: user.Subject, Hash: hash, Replaces: Credential(user), ChangedAt: changedAt})
	if err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	return nil
}
