package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
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
	// RefreshIdle ends a refresh token that was not used for so long, RefreshAbsolute a family of them so long after its login.
	RefreshIdle     Duration `json:"refresh_token_idle,omitzero"`
	RefreshAbsolute Duration `json:"refresh_token_absolute,omitzero"`
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
		RefreshIdle:       pick(l.RefreshIdle, base.RefreshIdle),
		RefreshAbsolute:   pick(l.RefreshAbsolute, base.RefreshAbsolute),
	}
}

// MaxTokenLifetime is the longest that an ID token or access token can be valid, whatever a provider and its clients ask for.
const MaxTokenLifetime = 24 * time.Hour

// Bounds of what may be set. RFC 6749 section 4.1.2 recommends at most ten minutes for a code.
const (
	maxCodeLifetime    = 10 * time.Minute
	maxTokenLifetime   = MaxTokenLifetime
	maxRefreshLifetime = 2 * 365 * 24 * time.Hour
	minLifetime        = time.Second
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
		{"refresh_token_idle", l.RefreshIdle, maxRefreshLifetime},
		{"refresh_token_absolute", l.RefreshAbsolute, maxRefreshLifetime},
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

// Login slows down guessing. Zero means unset.
type Login struct {
	// MaxAttempts is how many wrong passwords a name takes before it has to wait.
	MaxAttempts int `json:"max_attempts,omitzero"`
	// Window is how long wrong passwords count, and the longest that anybody has to wait.
	Window Duration `json:"window,omitzero"`
}

// Branding is how the pages look. Empty means the provider's own.
type Branding struct {
	// Title stands over every page.
	Title string `json:"title,omitempty"`
	// AccentColor is a CSS color: #rgb or #rrggbb.
	AccentColor string `json:"accent_color,omitempty"`
	// Logo is an image of at most MaxLogoBytes, and LogoType its media type: image/svg+xml, image/png, image/jpeg or image/webp.
	Logo     []byte `json:"logo,omitempty"`
	LogoType string `json:"logo_type,omitempty"`
}

// MaxLogoBytes is the largest logo.
const MaxLogoBytes = 256 << 10

// LogoTypes lists the media types of a logo.
func LogoTypes() []string {
	return []string{"image/svg+xml", "image/png", "image/jpeg", "image/webp"}
}

// Settings of a provider that can change while it runs.
type Settings struct {
	Lifetimes Lifetimes `json:"lifetimes,omitzero"`
	Sessions  Sessions  `json:"sessions,omitzero"`
	Login     Login     `json:"login,omitzero"`
	Branding  Branding  `json:"branding,omitzero"`
	// SynologySSO is off unless it is set.
	SynologySSO SynologySSO `json:"synology_sso,omitzero"`
	// PairwiseSalt makes pairwise subjects (OpenID Connect Core section 8.1). Whoever has it can tell which subjects are one
	// person; without it they are all new ones. Empty: no client can have pairwise subjects.
	PairwiseSalt string `json:"pairwise_salt,omitempty"`
}

// DefaultSettings are what holds where nothing is set.
func DefaultSettings() Settings {
	return Settings{
		Lifetimes: Lifetimes{
			AuthorizationCode: Duration(time.Minute),
			AccessToken:       Duration(15 * time.Minute),
			IDToken:           Duration(15 * time.Minute),
			RefreshIdle:       Duration(720 * time.Hour),
			RefreshAbsolute:   Duration(2160 * time.Hour),
		},
		Login: Login{MaxAttempts: 5, Window: Duration(15 * time.Minute)},
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
	if s.Login.MaxAttempts == 0 {
		s.Login.MaxAttempts = base.Login.MaxAttempts
	}
	if s.Login.Window == 0 {
		s.Login.Window = base.Login.Window
	}
	return s
}

var colorPattern = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

// minSalt is the shortest salt in characters: 128 bits in base64.
const minSalt = 22

// Validate returns every fault of the settings, each as a *FieldError.
func (s *Settings) Validate() error {
	errs := s.Lifetimes.validate("lifetimes")
	if s.Sessions.Idle < 0 {
		errs = append(errs, invalid("sessions.idle", "must not be negative"))
	}
	if s.Sessions.Absolute < 0 {
		errs = append(errs, invalid("sessions.absolute", "must not be negative"))
	}
	if s.Login.MaxAttempts < 0 || s.Login.MaxAttempts > 100 {
		errs = append(errs, invalid("login.max_attempts", "must be between 1 and 100"))
	}
	if w := time.Duration(s.Login.Window); w != 0 && (w < time.Second || w > 24*time.Hour) {
		errs = append(errs, invalid("login.window", "must be between 1s and 24h"))
	}
	if s.Branding.AccentColor != "" && !colorPattern.MatchString(s.Branding.AccentColor) {
		errs = append(errs, invalid("branding.accent_color", "must be #rgb or #rrggbb"))
	}
	if len(s.Branding.Title) > 200 {
		errs = append(errs, invalid("branding.title", "must not be longer than 200 bytes"))
	}
	if len(s.Branding.Logo) > MaxLogoBytes {
		errs = append(errs, invalid("branding.logo", "must not be larger than 256 KiB"))
	}
	if len(s.Branding.Logo) > 0 && !slices.Contains(LogoTypes(), s.Branding.LogoType) {
		errs = append(errs, invalid("branding.logo_type", "must be one of %s", strings.Join(LogoTypes(), " ")))
	}
	errs = append(errs, s.SynologySSO.validate()...)
	if s.PairwiseSalt != "" && len(s.PairwiseSalt) < minSalt {
		errs = append(errs, invalid("pairwise_salt", "must have at least 22 characters"))
	}
	return errors.Join(errs...)
}

func index(field string, i int) string {
	return fmt.Sprintf("%s[%d]", field, i)
}
