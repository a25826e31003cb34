"""What an admin says of a new course; the domain judges it, not the form."""

from django import forms

from course_domain import CourseType
from courses.words import sentences


class CourseForm(forms.Form):
    """An author's eleven fields and one flag; what is left empty is None."""

    title = forms.CharField(required=False)
    description = forms.CharField(required=False, empty_value=None, widget=forms.Textarea)
    course_type = forms.TypedChoiceField(
        choices=[(each.value, each.value) for each in CourseType], coerce=CourseType
    )
    start_date = forms.DateTimeField(required=False)
    end_date = forms.DateTimeField(required=False)
    location = forms.CharField(required=False, empty_value=None)
    is_virtual = forms.BooleanField(required=False)
    max_participants = forms.IntegerField(required=False)
    issues_certificate = forms.BooleanField(required=False)
    certificate_validity_months = forms.IntegerField(required=False)
    certificate_never_expires = forms.BooleanField(required=False)
    registration_deadline = forms.DateTimeField(required=False)

    def refuse(self, violations):
        """Put each reason beside the field that it is about."""
        for field, why in sentences(violations).items():
            self.add_error(field, why)
