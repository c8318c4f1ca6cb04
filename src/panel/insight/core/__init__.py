"""The rules of published figures, pure: no database, no clock, no room."""
