"""Which rows a listing has, and in which order, said in the plainest way."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import PeerMentorCertificate, Registration
from course_domain.testing.bench import NOW

# Ids whose order as hex digits is not their order by bytes in groups, by time or by node, nor
# the one in which they stand here.
_TIED_IDS = tuple(
    UUID(text)
    for text in (
        "7fffffff-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-000000000001",
        "ffffffff-ffff-ffff-ffff-fffffffffffe",
        "0fffffff-0000-1000-8000-000000000000",
        "80000000-0000-0000-0000-000000000000",
        "00000000-0000-4000-8000-ffffffffffff",
        "a0000000-0000-0000-0000-00000000000a",
        "10000000-ffff-1000-8000-000000000000",
    )
)
_MIDDLE_BITS = (2**96 - 1) << 16


def tied_ids() -> list[UUID]:
    """Make fresh ids that an order by anything but their hex digits would mix up."""
    return [UUID(int=each.int ^ (uuid4().int >> 8 & _MIDDLE_BITS)) for each in _TIED_IDS]


def _dated(instant: datetime | None, row_id: UUID) -> tuple[bool, datetime, str]:
    """Give the place of a row: by its instant, then the hex digits of its id, undated last."""
    return (instant is None, instant or NOW, row_id.hex)


def in_order_of_courses(courses: Iterable[Course]) -> list[Course]:
    """Order courses as a listing does."""
    return sorted(courses, key=lambda each: _dated(each.start_date, each.id))


def in_order_of_registrations(registrations: Iterable[Registration]) -> list[Registration]:
    """Order registrations as a listing does."""
    return sorted(registrations, key=lambda each: _dated(each.registered_at, each.id))


def in_order_of_certificates(
    certificates: Iterable[PeerMentorCertificate],
) -> list[PeerMentorCertificate]:
    """Order certificates as a listing does."""
    return sorted(certificates, key=lambda each: _dated(each.expires_at, each.id))


def fits_course(
    each: Course,
    *,
    statuses: Iterable[CourseStatus] | None = None,
    course_type: CourseType | None = None,
    issues_certificate: bool | None = None,
    starts_from: datetime | None = None,
    starts_before: datetime | None = None,
) -> bool:
    """Tell whether a course is in a listing with these filters."""
    start = each.start_date
    return (
        (statuses is None or each.status in statuses)
        and (course_type is None or each.course_type is course_type)
        and (issues_certificate is None or each.issues_certificate is issues_certificate)
        and (starts_from is None or (start is not None and starts_from <= start))
        and (starts_before is None or (start is not None and start < starts_before))
    )


def fits_registration(each: Registration, *, course_id: UUID | None, user_id: UUID | None) -> bool:
    """Tell whether a registration is in a listing with these filters."""
    return course_id in (None, each.course_id) and user_id in (None, each.user_id)


def fits_certificate(
    each: PeerMentorCertificate,
    *,
    course_id: UUID | None,
    user_id: UUID | None,
    expires_before: datetime | None,
) -> bool:
    """Tell whether a certificate is in a listing with these filters."""
    expires_at = each.expires_at
    return (
        course_id in (None, each.course_id)
        and user_id in (None, each.peer_mentor_id)
        and (expires_before is None or (expires_at is not None and expires_at < expires_before))
    )
