"""Assessments: the CAF and every other form, its sections and elements, and sign-off."""
