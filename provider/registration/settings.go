package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Duration is a time.Duration that reads and writes as Go's duration text ("15m0s") in JSON.
type Duration time.Duration

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON reads the duration from text such as "90s" or "12h".
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return invalid("duration", "must be text such as \"15m\"")
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return invalid("duration", "must be text such as \"15m\"")
	}
	*d = Duration(parsed)
	return nil
}

// Lifetimes of what the provider issues. Zero means unset.
type Lifetimes struct {
	AuthorizationCode Duration `json:"authorization_code,omitzero"`
	AccessToken       Duration `json:"access_token,omitzero"`
	IDToken           Duration `json:"id_token,omitzero"`
}

// Over returns l with each unset lifetime taken from base.
func (l Lifetimes) Over(base Lifetimes) Lifetimes {
	pick := func(own, base Duration) Duration {
		if own != 0 {
			return own
		}
		return base
	}
	return Lifetimes{
		AuthorizationCode: pick(l.AuthorizationCode, base.AuthorizationCode),
		AccessToken:       pick(l.AccessToken, base.AccessToken),
		IDToken:           pick(l.IDToken, base.IDToken),
	}
}

// Bounds of what may be set. RFC 6749 section 4.1.2 recommends at most ten minutes for a code.
const (
	maxCodeLifetime  = 10 * time.Minute
	maxTokenLifetime = 24 * time.Hour
	minLifetime      = time.Second
)

func (l Lifetimes) validate(prefix string) []error {
	var errs []error
	for _, f := range []struct {
		name  string
		value Duration
		limit time.Duration
	}{
		{"authorization_code", l.AuthorizationCode, maxCodeLifetime},
		{"access_token", l.AccessToken, maxTokenLifetime},
		{"id_token", l.IDToken, maxTokenLifetime},
	} {
		v := time.Duration(f.value)
		if v != 0 && (v < minLifetime || v > f.limit) {
			errs = append(errs, invalid(prefix+"."+f.name, "must be between %s and %s", minLifetime, f.limit))
		}
	}
	return errs
}

// Sessions limits how long a browser stays logged in. Zero means unset.
type Sessions struct {
	// Idle ends a session that was not used for so long.
	Idle Duration `json:"idle,omitzero"`
	// Absolute ends a session so long after its login.
	Absolute Duration `json:"absolute,omitzero"`
}

// Settings of a provider that can change while it runs.
type Settings struct {
	Lifetimes Lifetimes `json:"lifetimes,omitzero"`
	Sessions  Sessions  `json:"sessions,omitzero"`
}

// DefaultSettings are what holds where nothing is set.
func DefaultSettings() Settings {
	return Settings{
		Lifetimes: Lifetimes{
			AuthorizationCode: Duration(time.Minute),
			AccessToken:       Duration(15 * time.Minute),
			IDToken:           Duration(15 * time.Minute),
		},
		Sessions: Sessions{
			Idle:     Duration(12 * time.Hour),
			Absolute: Duration(168 * time.Hour),
		},
	}
}

// WithDefaults returns s with every unset value taken from DefaultSettings.
func (s Settings) WithDefaults() Settings {
	base := DefaultSettings()
	s.Lifetimes = s.Lifetimes.Over(base.Lifetimes)
	if s.Sessions.Idle == 0 {
		s.Sessions.Idle = base.Sessions.Idle
	}
	if s.Sessions.Absolute == 0 {
		s.Sessions.Absolute = base.Sessions.Absolute
	}
	return s
}

// Validate returns every fault of the settings, each as a *FieldError.
func (s *Settings) Validate() error {
	errs := s.Lifetimes.validate("lifetimes")
	if s.Sessions.Idle < 0 {
		errs = append(errs, invalid("sessions.idle", "must not be negative"))
	}
	if s.Sessions.Absolute < 0 {
		errs = append(errs, invalid("sessions.absolute", "must not be negative"))
	}
	return errors.Join(errs...)
}

func index(field string, i int) string {
	return fmt.Sprintf("%s[%d]", field, i)
}
