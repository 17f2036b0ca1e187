#!/bin/sh
# Lets people log in to Vault. Needs the command vault, VAULT_ADDR and a token that may do this.
set -eu
cd "$(dirname "$0")"
vault auth list -format=json | grep -q '"oidc/"' || vault auth enable -path=oidc oidc
vault auth tune -listing-visibility=unauth oidc/
vault write auth/oidc/config @vault-auth-config.json
vault write auth/oidc/role/default @vault-auth-role.json
