"""A project of one page, as docs/presets/django.md tells to set it up: settings and URLs."""
import os
import secrets

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from django.utils.html import escape

from oidc_settings import *  # noqa: F403

SECRET_KEY = secrets.token_hex()
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "shop"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SHOP_DATABASE"]}}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
AUTHENTICATION_BACKENDS = ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = LOGIN_REDIRECT_URL_FAILURE = "/"
LOGGING = {"version": 1, "handlers": {"console": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["console"]}}


def home(request):
    """Tells who is logged in."""
    if not request.user.is_authenticated:
        return HttpResponse("<!doctype html><title>Shop</title><link rel=icon href='data:,'><h1>nobody</h1>")
    name = escape(f"{request.user.username} {request.user.email}")
    return HttpResponse(
        f"<!doctype html><title>Shop</title><link rel=icon href='data:,'><h1>{name}</h1>"
        f"<form action=/oidc/logout/ method=post><input type=hidden name=csrfmiddlewaretoken value={get_token(request)}>"
        "<button>Log out</button></form>"
    )


urlpatterns = [path("", home), path("oidc/", include("mozilla_django_oidc.urls"))]
