"""Casework: what looks across the rooms for those who work with children and families."""
