"""The tables of the catalogue, by what they are about."""
