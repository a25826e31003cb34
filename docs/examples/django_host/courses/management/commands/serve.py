"""Start the host, ready to try."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from courses import sample
from courses.models import Organization


class Command(BaseCommand):
    """Migrate, fill an empty database with a sample, and serve."""

    help = __doc__

    def add_arguments(self, parser):
        """Take the address, as runserver does."""
        parser.add_argument("addrport", nargs="?", default="127.0.0.1:8000")

    def handle(self, *_, addrport, **_options):
        """Do it."""
        call_command("migrate", verbosity=0)
        if not Organization.objects.exists():
            sample.fill()
        self.stdout.write(
            "Sign in as astrid (an admin), clara or dag (peer mentors), or henrik (a stranger),"
            f" with the password: {sample.PASSWORD}"
        )
        call_command("runserver", addrport, use_reloader=False)
