"""What people read: the library's sentences, in the language and on the clock of the site."""

from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language

from course_domain import messages


def sentence(violation):
    """Say why something is refused."""
    return messages.render(violation, get_language(), get_current_timezone())


def sentences(violations):
    """Say what is wrong with each field of a form."""
    return messages.render_fields(violations, get_language(), get_current_timezone())


def refusal(error):
    """Say what an error means, with every reason that it carries."""
    return messages.render_error(error, get_language(), get_current_timezone())
