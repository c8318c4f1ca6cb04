"""Lists of other registers beside our own: who is on one and not on the other.

A pair is linked by rules where nothing speaks against it, and by a person otherwise. Nothing is
ever merged: a link says that two stand for one child, and is undone by saying otherwise (ADR 41).
"""
