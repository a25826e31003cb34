"""The Django project: its settings and its addresses."""
