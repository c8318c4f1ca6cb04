"""Commissioning intelligence: what families need and do not get, with nobody in it."""
