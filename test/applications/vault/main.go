// Vault is a stand-in for HashiCorp Vault that people log in to with the real thing: Vault's own plugin for JWT and OIDC, with
// its storage in memory. Around it is as little of Vault as `vault.sh` and a login need; no policy is enforced and no token
// is good for anything. It is a module of its own because the plugin needs more modules than the whole project.
//
//	vault server -listen ADDRESS           the HTTP API, for whoever knows VAULT_TOKEN; logins need none
//	vault auth list|enable|tune, write     the commands that vault.sh runs, as Vault's own take them
//	vault login -method=oidc [KEY=VALUE]   the plugin's half of Vault's command; prints who has logged in
//
// The commands find the server by VAULT_ADDR and VAULT_TOKEN, with Vault's own client.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	jwtauth "github.com/hashicorp/vault-plugin-auth-jwt"
	"github.com/hashicorp/vault/api"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 && args[0] == "server" {
		return serve(args[1:])
	}
	client, err := api.NewClient(nil)
	if err != nil {
		return err
	}
	// A failure is to be seen at once, not after some attempts.
	client.SetMaxRetries(0)
	switch {
	case len(args) >= 2 && args[0] == "auth" && args[1] == "list":
		return listAuth(client, args[2:])
	case len(args) >= 2 && args[0] == "auth" && args[1] == "enable":
		return enableAuth(client, args[2:])
	case len(args) >= 2 && args[0] == "auth" && args[1] == "tune":
		return tuneAuth(client, args[2:])
	case len(args) == 3 && args[0] == "write":
		return write(client, args[1], args[2])
	case len(args) >= 1 && args[0] == "login":
		return login(client, args[1:])
	}
	return fmt.Errorf("no such command here: %q", args)
}

func serve(args []string) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	listen := flags.String("listen", "", "the address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	token := os.Getenv("VAULT_TOKEN")
	if token == "" {
		return errors.New("VAULT_TOKEN must be set: it is what the server asks for")
	}
	server := &http.Server{Addr: *listen, Handler: newCore(token), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// parse reads the flags of a command that takes exactly so many arguments after them.
func parse(flags *flag.FlagSet, args []string, arguments int) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != arguments {
		return fmt.Errorf("%s takes %d arguments, not %q", flags.Name(), arguments, flags.Args())
	}
	return nil
}

func listAuth(client *api.Client, args []string) error {
	flags := flag.NewFlagSet("auth list", flag.ContinueOnError)
	format := flags.String("format", "table", "json")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if *format != "json" {
		return fmt.Errorf("auth list: no such format here: %s", *format)
	}
	mounts, err := client.Sys().ListAuth()
	if err != nil {
		return err
	}
	return printJSON(mounts)
}

func enableAuth(client *api.Client, args []string) error {
	flags := flag.NewFlagSet("auth enable", flag.ContinueOnError)
	path := flags.String("path", "", "where to mount it; unset: its type")
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	if *path == "" {
		*path = flags.Arg(0)
	}
	return client.Sys().EnableAuthWithOptions(strings.Trim(*path, "/"), &api.EnableAuthOptions{Type: flags.Arg(0)})
}

func tuneAuth(client *api.Client, args []string) error {
	flags := flag.NewFlagSet("auth tune", flag.ContinueOnError)
	visibility := flags.String("listing-visibility", "", "unauth or hidden")
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	return client.Sys().TuneMountAllowNil("auth/"+strings.Trim(flags.Arg(0), "/"), api.TuneMountConfigInput{ListingVisibility: visibility})
}

// write sends a JSON document. What Vault warns of goes to standard error.
func write(client *api.Client, path, from string) error {
	file, isFile := strings.CutPrefix(from, "@")
	if !isFile {
		return fmt.Errorf("write takes its data from a file, as in @data.json, not %q", from)
	}
	document, err := os.ReadFile(file) //nolint:gosec // the command reads what it is told to
	if err != nil {
		return err
	}
	var data map[string]any
	if err := json.Unmarshal(document, &data); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	secret, err := client.Logical().Write(path, data)
	if err != nil {
		return err
	}
	if secret != nil {
		for _, warning := range secret.Warnings {
			fmt.Fprintln(os.Stderr, "warning:", warning)
		}
	}
	_, err = fmt.Fprintln(os.Stdout, "written to", path)
	return err
}

func login(client *api.Client, args []string) error {
	flags := flag.NewFlagSet("login", flag.ContinueOnError)
	method := flags.String("method", "token", "oidc")
	path := flags.String("path", "", "where the method is mounted; unset: its name")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *method != "oidc" {
		return fmt.Errorf("login: no such method here: %s", *method)
	}
	// People need no token to get one.
	client.ClearToken()
	settings := map[string]string{}
	if *path != "" {
		settings["mount"] = strings.Trim(*path, "/")
	}
	for _, arg := range flags.Args() {
		key, value, found := strings.Cut(arg, "=")
		if !found {
			return fmt.Errorf("login takes KEY=VALUE, not %q", arg)
		}
		settings[key] = value
	}
	secret, err := new(jwtauth.CLIHandler).Auth(client, settings)
	time.Sleep(time.Second) // the browser's page is sent after the plugin has returned, and would be cut off
	if err != nil {
		return err
	}
	return printJSON(secret.Auth)
}

func printJSON(value any) error {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
