"""People and courses to try the host with."""

from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from course_domain import Actor, CourseType, Role
from courses.models import Membership, Organization, User
from courses.service import service

PASSWORD = "to try with"  # noqa: S105  of a sample, on the machine of whoever tries it


def person(name, password, organization, role):
    """Let somebody sign in, who is this in the organization."""
    user = User.objects.create(username=name, password=password)
    Membership.objects.create(user=user, organization=organization, role=role)
    return Actor(user_id=user.id, organization_id=organization.id, role=role)


def fill():
    """Found two organizations, and courses that people can and cannot register for."""
    password = make_password(PASSWORD)
    with transaction.atomic():
        families = Organization.objects.create(name="Families")
        hearing = Organization.objects.create(name="Hearing")
        astrid = person("astrid", password, families, Role.ADMIN)
        clara = person("clara", password, families, Role.PEER_MENTOR)
        dag = person("dag", password, families, Role.PEER_MENTOR)
        henrik = person("henrik", password, hearing, Role.ADMIN)
    now = timezone.now()
    workshop = {
        "course_type": CourseType.WORKSHOP,
        "is_virtual": True,
        "issues_certificate": False,
        "start_date": now + timedelta(days=60),
    }
    training = workshop | {
        "course_type": CourseType.CERTIFICATION,
        "is_virtual": False,
        "location": "Gardermoen",
        "max_participants": 24,
        "issues_certificate": True,
        "certificate_validity_months": 24,
    }
    service.create_course(astrid, title="Søsken som likepersoner", **workshop)  # stays a draft
    for author, title, details in (
        (astrid, "Opplæringskurs for likepersoner", training),
        (astrid, "Å stå i sorgen", workshop | {"max_participants": 1}),
        (astrid, "Ny som likeperson", workshop | {"registration_deadline": now}),
        (henrik, "Grunnkurs for hørselshjelpere", training),
    ):
        course = service.create_course(author, title=title, **details)
        service.publish_course(author, course.id)
        if details.get("max_participants") == 1:
            service.register(dag, course.id)
    return astrid, clara, dag, henrik
