"""A panel with its people, a family, and what is sealed between them; a team and its children."""

from tests.casework.teams import team
from tests.families.conftest import family, sign_in_family
from tests.panels.conftest import add_child, house

__all__ = ["add_child", "family", "house", "sign_in_family", "team"]
