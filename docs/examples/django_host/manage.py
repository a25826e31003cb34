"""Run a command of the host: `python manage.py serve` starts it."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "host.settings")
    execute_from_command_line(sys.argv)
