"""Settings of mozilla-django-oidc, for: from oidc_settings import *"""
from pathlib import Path as _Path
from urllib.parse import urlencode as _urlencode

OIDC_RP_CLIENT_SECRET = _Path(__file__).with_name("client_secret").read_text().strip()
OIDC_RP_CLIENT_ID = "web.shop"
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email"
OIDC_OP_AUTHORIZATION_ENDPOINT = "https://id.example.com/oauth2/authorize"
OIDC_OP_TOKEN_ENDPOINT = "https://id.example.com/oauth2/token"
OIDC_OP_USER_ENDPOINT = "https://id.example.com/oauth2/userinfo"
OIDC_OP_JWKS_ENDPOINT = "https://id.example.com/oauth2/jwks"
OIDC_TOKEN_USE_BASIC_AUTH = False
OIDC_USE_NONCE = True
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_CREATE_USER = True
OIDC_STORE_ID_TOKEN = True
OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = 900
OIDC_USERNAME_ALGO = "oidc_settings.username"
OIDC_OP_LOGOUT_URL_METHOD = "oidc_settings.logout_url"


def username(email, claims):
    """What a new account is called."""
    return claims.get("preferred_username") or email


def logout_url(request):
    """Where a logout goes on, so that the login session ends at the provider, too."""
    parameters = {"client_id": OIDC_RP_CLIENT_ID, "post_logout_redirect_uri": "https://shop.example.com/"}
    if "oidc_id_token" in request.session:
        parameters["id_token_hint"] = request.session["oidc_id_token"]
    return "https://id.example.com/oauth2/logout" + "?" + _urlencode(parameters)
