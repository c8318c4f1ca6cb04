"""The demonstration: an invented authority with a year of life in it."""
