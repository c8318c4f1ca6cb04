"""The `panel` command's parts, one file for each kind of work."""
