"""The directory: what services there are, for whom, where, and how many places are free."""
