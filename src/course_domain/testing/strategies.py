"""Hypothesis strategies for courses, people, their records and what authors say.

Composed, and keen on the edges. What the library answers with has none: a `CourseOffer`, a
`Violation` or a `Page` is made by a call on values that are drawn.

What makes a record takes its fields as keywords, a value or a strategy each, to pin them:
``courses(status=CourseStatus.DRAFT, max_participants=2)``. What is not pinned is drawn to fit.
"""

from course_domain.testing.faults import invalid_course_fields
from course_domain.testing.plain import (
    EDGE_INSTANTS,
    certificate_validities,
    identifiers,
    instants,
    instants_near,
    max_participants,
    texts,
    titles,
    zones,
)
from course_domain.testing.records import (
    actors,
    archived_courses,
    certificates,
    course_changes,
    course_details,
    courses,
    draft_courses,
    participations,
    published_courses,
    registrations,
    reminders,
)

__all__ = [
    "EDGE_INSTANTS",
    "actors",
    "archived_courses",
    "certificate_validities",
    "certificates",
    "course_changes",
    "course_details",
    "courses",
    "draft_courses",
    "identifiers",
    "instants",
    "instants_near",
    "invalid_course_fields",
    "max_participants",
    "participations",
    "published_courses",
    "registrations",
    "reminders",
    "texts",
    "titles",
    "zones",
]
