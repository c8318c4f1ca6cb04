"""What looks across the rooms for those who work with families: in bulk, in time, at a glance."""
