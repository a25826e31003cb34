"""Settings: a file of SQLite, or PostgreSQL where PGDATABASE says so."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parents[1]

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "good enough for this machine alone")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "courses",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "courses.answers.RefusalMiddleware",
]
ROOT_URLCONF = "host.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "courses.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "organizations"
LOGOUT_REDIRECT_URL = "login"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"  # "nb" for the library's sentences, and Django's, in Norwegian
USE_TZ = True
TIME_ZONE = "Europe/Oslo"  # of what people read; the database keeps UTC

# The repository waits for a lock for 2 seconds, and tries again for 2.5: never for more than 8.
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.environ.get("COURSES_FILE", BASE_DIR / "courses.sqlite3"),
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",  # who will write waits before reading, not after
        "timeout": 2,
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    },
}
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",  # the driver reads PGHOST, PGUSER and the others
    "NAME": os.environ.get("PGDATABASE"),
    "OPTIONS": {"connect_timeout": 2, "options": "-c lock_timeout=2s"},
}
DATABASES = {"default": POSTGRESQL if "PGDATABASE" in os.environ else SQLITE}
