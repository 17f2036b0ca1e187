package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// version is set when the program is linked.
var version = "dev" //nolint:gochecknoglobals // the linker can only set a global

func main() {
	root := &cobra.Command{
		Use:           "provider",
		Short:         "An OpenID Connect provider",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), clientCommand(), userCommand(), keyCommand(), settingsCommand(), &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
			return err
		},
	})
	if err := root.Execute(); err != nil {
		if !errors.As(err, new(*errLogged)) {
			fmt.Fprintln(os.Stderr, "provider:", err)
		}
		os.Exit(1)
	}
}
