"""The one service of the host; the outbox keeps reminders for a scheduler (see its page)."""

from django.utils import timezone

from course_domain import CourseService
from courses.repository import DjangoCourseRepository

# A certificate counts its months as the calendar on the wall does.
service = CourseService(DjangoCourseRepository(), zone=timezone.get_default_timezone())
