#!/bin/sh
# Adds the realm; run it as root on one node. To change one that exists: pveum realm modify, and leave --type and --username-claim out.
set -eu
pveum realm add example --type openid \
  --issuer-url 'https://id.example.com/' \
  --client-id 'infra.pve' \
  --username-claim 'email' \
  --scopes 'profile email groups' \
  --groups-claim 'groups' \
  --groups-autocreate '1' \
  --groups-overwrite '1' \
  --default '1' \
  --query-userinfo '0' \
  --prompt 'login' \
  --acr-values 'urn:example:mfa' \
  --comment 'Example SSO'
