"""Requests for service, decisions, packages, money and unmet need."""
