package main

import (
	"crypto/rand"
	"time"

	"github.com/spf13/cobra"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func settingsCommand() *cobra.Command {
	var dir string
	var idle, absolute time.Duration
	s := registration.Settings{}
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Write settings.json with a new salt for pairwise subjects, which must stay the same from then on",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.PairwiseSalt = rand.Text()
			s.Sessions = registration.Sessions{Idle: registration.Duration(idle), Absolute: registration.Duration(absolute)}
			return create(cmd.OutOrStdout(), dir, "", registration.KindSettings, &s, map[string]string{"settings": registration.KindSettings.File()})
		},
	}
	f := cmd.Flags()
	registrationsFlag(cmd, &dir)
	f.StringVar(&s.Branding.Title, "title", "", "what the pages call the provider")
	f.StringVar(&s.Branding.AccentColor, "accent-color", "", "color of buttons, as #0a6 or #00aa66")
	f.DurationVar(&idle, "session-idle", 0, "log out who was not seen for so long (default 12h)")
	f.DurationVar(&absolute, "session-absolute", 0, "log out everybody so long after their login (default 168h)")
	return group("settings", "Settings of the provider", cmd)
}
