"""A small world for casework: one child whose CAF is signed off, a coordinator, a manager."""
