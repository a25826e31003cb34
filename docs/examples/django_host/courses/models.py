"""The host's own tables: its people and organizations, and what the domain keeps."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

from course_domain import COURSE_INDEXES, CourseStatus, CourseType, RegistrationStatus, Role
from courses.indexes import CourseIndex


def one_of(names, **options):
    """Make a column for a value of an enumeration."""
    choices = [(each.value, each.value) for each in names]
    return models.CharField(max_length=20, choices=choices, **options)


class User(AbstractUser):
    """Somebody who signs in; the domain knows people by a UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class Organization(models.Model):
    """A patient organization."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)

    def __str__(self):
        """Give the name."""
        return self.name


class Membership(models.Model):
    """What somebody is in an organization; who is in two is two actors."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    role = one_of(Role)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "organization"), name="one_membership"),
        )

    def __str__(self):
        """Give who is what, and where."""
        return f"{self.user}, {self.role} in {self.organization}"


class Course(models.Model):
    """The seventeen fields of a course, and what the adapter keeps beside them.

    The ids of people and organizations are the domain's: plain columns, as in the tables below.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    organization_id = models.UUIDField()
    title = models.TextField()
    description = models.TextField(null=True)
    course_type = one_of(CourseType)
    status = one_of(CourseStatus)
    start_date = models.DateTimeField(null=True)
    end_date = models.DateTimeField(null=True)
    location = models.TextField(null=True)
    is_virtual = models.BooleanField()
    max_participants = models.PositiveIntegerField(null=True)
    issues_certificate = models.BooleanField()
    certificate_validity_months = models.PositiveIntegerField(null=True)
    registration_deadline = models.DateTimeField(null=True)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    confirmed_count = models.PositiveIntegerField(default=0)
    version = models.PositiveBigIntegerField(default=0)
    """Raised by every change of the course or of a registration: one writer passes, others ask
    again."""

    class Meta:
        db_table = "courses"
        indexes = (
            *(CourseIndex(name=name, fields=fields) for name, fields in COURSE_INDEXES.items()),
            # Pages by key: of one status, and of all, as admins ask.
            models.Index(
                name="ix_courses_page", fields=("organization_id", "status", "start_date", "id")
            ),
            models.Index(
                name="ix_courses_page_all", fields=("organization_id", "start_date", "id")
            ),
        )

    def __str__(self):
        """Give the title."""
        return self.title


class Registration(models.Model):
    """A person's place on a course; there is one for a course and a user."""

    id = models.UUIDField(primary_key=True, editable=False)
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="registrations", db_index=False
    )
    organization_id = models.UUIDField()
    user_id = models.UUIDField()
    status = one_of(RegistrationStatus)
    registered_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "registrations"
        constraints = (
            models.UniqueConstraint(fields=("course", "user_id"), name="one_registration"),
        )
        indexes = (
            models.Index(
                name="ix_registrations_page", fields=("organization_id", "registered_at", "id")
            ),
            models.Index(
                name="ix_registrations_page_user",
                fields=("organization_id", "user_id", "registered_at", "id"),
            ),
            models.Index(
                name="ix_registrations_page_course", fields=("course", "registered_at", "id")
            ),
        )

    def __str__(self):
        """Give who, where and whether."""
        return f"{self.user_id} on {self.course_id}: {self.status}"


class Certificate(models.Model):
    """What a person was certified for; one for a course and a person, never changed."""

    id = models.UUIDField(primary_key=True, editable=False)
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="certificates", db_index=False
    )
    organization_id = models.UUIDField()
    peer_mentor_id = models.UUIDField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "certificates"
        constraints = (
            models.UniqueConstraint(fields=("course", "peer_mentor_id"), name="one_certificate"),
        )
        indexes = (
            models.Index(
                name="ix_certificates_page", fields=("organization_id", "expires_at", "id")
            ),
            models.Index(
                name="ix_certificates_page_user",
                fields=("organization_id", "peer_mentor_id", "expires_at", "id"),
            ),
            models.Index(name="ix_certificates_page_course", fields=("course", "expires_at", "id")),
        )

    def __str__(self):
        """Give whose, and for what."""
        return f"{self.peer_mentor_id} for {self.course_id}"


class Reminder(models.Model):
    """The outbox; one that was scheduled keeps its row, so that it never enters twice."""

    certificate_id = models.UUIDField()
    course_id = models.UUIDField()
    organization_id = models.UUIDField()
    peer_mentor_id = models.UUIDField()
    remind_at = models.DateTimeField()
    is_scheduled = models.BooleanField(default=False)

    class Meta:
        db_table = "reminders"
        constraints = (
            models.UniqueConstraint(
                fields=("organization_id", "certificate_id"), name="one_reminder"
            ),
        )
        indexes = (
            models.Index(name="ix_reminders_page", fields=("is_scheduled", "remind_at", "id")),
        )

    def __str__(self):
        """Give whom, and when."""
        return f"{self.peer_mentor_id} at {self.remind_at}"
