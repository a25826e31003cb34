"""Views: who is asking, the service, the answer."""

from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from course_domain import Actor, InvalidCourse, RegistrationStatus, Role
from course_domain.serialization import course_details_from_json
from courses.answers import done, to_json, wants_json
from courses.forms import CourseForm
from courses.models import Membership, User
from courses.service import service

COMMANDS = {
    "register": (service.register, "You have a seat."),
    "cancel": (service.cancel_registration, "Your seat is free for somebody else."),
    "publish": (service.publish_course, "Everybody in the organization sees it now."),
    "unpublish": (service.unpublish_course, "It is a draft again."),
    "archive": (service.archive_course, "It is put away."),
    "restore": (service.restore_course, "It is a draft again."),
}


def acting(view):
    """Let somebody act as what they are in the organization of the address.

    One that they do not belong to is not found, as one that does not exist.
    """

    @login_required
    @wraps(view)
    def view_as_actor(request, organization_id, **arguments):
        membership = get_object_or_404(
            Membership.objects.select_related("organization"),
            user=request.user,
            organization_id=organization_id,
        )
        request.membership = membership
        actor = Actor(
            user_id=request.user.id, organization_id=organization_id, role=Role(membership.role)
        )
        return view(request, actor, **arguments)

    return view_as_actor


@require_safe
@login_required
def organizations(request):
    """Show where somebody is a member."""
    memberships = request.user.memberships.select_related("organization")
    return render(request, "courses/organizations.html", {"memberships": memberships})


@require_safe
@acting
def courses(request, actor):
    """List what the actor may see: how many seats are left, and why they may not register."""
    page = service.courses(actor, after=request.GET.get("after"), limit=20)
    offers = service.offers(actor, [course.id for course in page.items]).values()
    if wants_json(request):
        return JsonResponse({"offers": to_json([*offers]), "next": page.next})
    context = {"offers": offers, "next": page.next, "is_admin": actor.role is Role.ADMIN}
    return render(request, "courses/courses.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@acting
def create(request, actor):
    """Create a draft, from a form or from JSON."""
    if request.content_type == "application/json":
        course = service.create_course(actor, **course_details_from_json(request.body))
        return done(request, course, "There is a new draft.", status=201)
    form = CourseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            course = service.create_course(actor, **form.cleaned_data)
        except InvalidCourse as error:
            form.refuse(error.violations)
        else:
            return done(request, course, "There is a new draft.", status=201)
    status = 422 if form.is_bound else 200
    return render(request, "courses/create.html", {"form": form}, status=status)


@require_POST
@acting
def command(request, actor, course_id, command):
    """Register, cancel, publish, and what else is done to a course with one button."""
    if command not in COMMANDS:
        raise Http404
    call, said = COMMANDS[command]
    return done(request, call(actor, course_id), said)


@require_safe
@acting
def participants(request, actor, course_id):
    """Show an admin who is registered, to tell who has completed."""
    course = service.course(actor, course_id)
    page = service.registrations(actor, course_id=course_id, after=request.GET.get("after"))
    if wants_json(request):
        return JsonResponse({"registrations": to_json([*page.items]), "next": page.next})
    users = User.objects.in_bulk([each.user_id for each in page.items])
    rows = [
        (users.get(each.user_id), each)
        for each in page.items
        if each.status is RegistrationStatus.CONFIRMED
    ]
    context = {"course": course, "rows": rows, "next": page.next}
    return render(request, "courses/participants.html", context)


@require_POST
@acting
def complete(request, actor, course_id, user_id):
    """Tell that somebody has completed a course; the certificate is stored with it."""
    completed = service.complete_registration(actor, course_id, user_id=user_id)
    return done(request, completed, "Completed.")
