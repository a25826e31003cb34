"""The app: courses, who may see them, and who has a seat."""
