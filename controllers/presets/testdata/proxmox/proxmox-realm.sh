#!/bin/sh
# Adds the realm; run it as root on one node. To change one that exists: pveum realm modify, and leave --type and --username-claim out.
set -eu
pveum realm add sso --type openid \
  --issuer-url 'https://id.example.com/' \
  --client-id 'infra.pve' \
  --client-key 'SecretSecretSecretSecretSecret00' \
  --username-claim 'username' \
  --scopes 'profile email' \
  --autocreate '1'
