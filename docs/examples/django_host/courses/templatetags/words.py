"""The sentences of the library, for templates."""

from django import template

from courses.words import sentence

register = template.Library()
register.filter(sentence)
