"""IMPACT: meetings around the family, where a case is too complex for CONTACTS."""
