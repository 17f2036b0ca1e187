"""Settings of mozilla-django-oidc, for: from oidc_settings import *"""
from pathlib import Path as _Path
from urllib.parse import urlencode as _urlencode

OIDC_RP_CLIENT_SECRET = _Path(__file__).with_name("client_secret").read_text().strip()
OIDC_RP_CLIENT_ID = "web.shop"
OIDC_RP_SIGN_ALGO = "ES256"
OIDC_RP_SCOPES = "openid email groups"
OIDC_OP_AUTHORIZATION_ENDPOINT = "https://id.example.com/oauth2/authorize"
OIDC_OP_TOKEN_ENDPOINT = "https://id.example.com/oauth2/token"
OIDC_OP_USER_ENDPOINT = "https://id.example.com/oauth2/userinfo"
OIDC_OP_JWKS_ENDPOINT = "https://id.example.com/oauth2/jwks"
OIDC_TOKEN_USE_BASIC_AUTH = True
OIDC_USE_NONCE = True
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_CREATE_USER = False
OIDC_STORE_ID_TOKEN = False
OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = 3600
OIDC_USERNAME_ALGO = "oidc_settings.username"


def username(email, claims):
    """What a new account is called."""
    return claims.get("preferred_username") or email
