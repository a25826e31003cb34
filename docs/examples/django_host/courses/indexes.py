"""Indexes whose names are the domain owner's."""

from django.db import models


class CourseIndex(models.Index):
    """Keep the name as it is given: idx_courses_organization_status has 31 characters.

    Django's own bound of 30 is for Oracle. SQLite has none, PostgreSQL's is 63.
    """

    max_name_length = 63
