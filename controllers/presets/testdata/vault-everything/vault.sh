#!/bin/sh
# Lets people log in to Vault. Needs the command vault, VAULT_ADDR and a token that may do this.
set -eu
cd "$(dirname "$0")"
vault auth list -format=json | grep -q '"sso/people/"' || vault auth enable -path=sso/people oidc
vault auth tune -listing-visibility=unauth sso/people/
vault write auth/sso/people/config @vault-auth-config.json
vault write auth/sso/people/role/reader @vault-auth-role.json
