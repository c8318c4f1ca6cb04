"""The register's use cases, one transaction each; other rooms come in through here."""

from panel.register.header import ChildHeader, child_header

__all__ = ["ChildHeader", "child_header"]
