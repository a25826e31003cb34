"""The addresses: everything of an organization lies below its id."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from courses import views

of_an_organization = [
    path("", views.courses, name="courses"),
    path("new/", views.create, name="create"),
    path("<uuid:course_id>/participants/", views.participants, name="participants"),
    path("<uuid:course_id>/participants/<uuid:user_id>/complete/", views.complete, name="complete"),
    path("<uuid:course_id>/<str:command>/", views.command, name="command"),
]
urlpatterns = [
    path("", views.organizations, name="organizations"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("organizations/<uuid:organization_id>/courses/", include(of_an_organization)),
]
