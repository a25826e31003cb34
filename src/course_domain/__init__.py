"""Training courses for peer mentors: rules, decisions, and the ports that a host plugs into."""

from course_domain.actor import (
    Actor,
    Role,
)
from course_domain.calls import (
    CourseOffer,
)
from course_domain.course import (
    COURSE_INDEXES,
    COURSE_TRANSITIONS,
    MAX_CERTIFICATE_VALIDITY_MONTHS,
    Course,
    CourseStatus,
    CourseType,
    course_violations,
)
from course_domain.decisions import (
    archive,
    cancel,
    complete,
    create,
    publish,
    register,
    restore,
    revise,
    unpublish,
)
from course_domain.details import (
    CourseChanges,
    CourseDetails,
)
from course_domain.errors import (
    CourseNotFound,
    DuplicateCourse,
    InvalidCourse,
    InvalidDocument,
    InvalidTransition,
    NotPermitted,
    RegistrationNotFound,
    RegistrationRejected,
    RepositoryUnavailable,
    StaleCourse,
)
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.policies import (
    REMINDER_LEAD_DAYS,
    can_view,
    certificate_expires_at,
    is_registration_open,
    registration_rejections,
    renewal_reminder_at,
    seats_left,
    visible_statuses,
)
from course_domain.ports import (
    MAX_CURSOR_LENGTH,
    MAX_PAGE_LIMIT,
    CourseRepository,
    Page,
    ReminderScheduler,
    page_limit,
    unknown_cursor,
)
from course_domain.rules import CourseDomainError, InvalidValue, Rule, Violation
from course_domain.service import (
    CourseService,
)

__all__ = [
    "COURSE_INDEXES",
    "COURSE_TRANSITIONS",
    "MAX_CERTIFICATE_VALIDITY_MONTHS",
    "MAX_CURSOR_LENGTH",
    "MAX_PAGE_LIMIT",
    "REMINDER_LEAD_DAYS",
    "Actor",
    "Course",
    "CourseChanges",
    "CourseDetails",
    "CourseDomainError",
    "CourseNotFound",
    "CourseOffer",
    "CourseRepository",
    "CourseService",
    "CourseStatus",
    "CourseType",
    "DuplicateCourse",
    "InvalidCourse",
    "InvalidDocument",
    "InvalidTransition",
    "InvalidValue",
    "NotPermitted",
    "Page",
    "Participation",
    "PeerMentorCertificate",
    "Registration",
    "RegistrationNotFound",
    "RegistrationRejected",
    "RegistrationStatus",
    "ReminderScheduler",
    "RenewalReminder",
    "RepositoryUnavailable",
    "Role",
    "Rule",
    "StaleCourse",
    "Violation",
    "archive",
    "can_view",
    "cancel",
    "certificate_expires_at",
    "complete",
    "course_violations",
    "create",
    "is_registration_open",
    "page_limit",
    "publish",
    "register",
    "registration_rejections",
    "renewal_reminder_at",
    "restore",
    "revise",
    "seats_left",
    "unknown_cursor",
    "unpublish",
    "visible_statuses",
]
