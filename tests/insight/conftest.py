"""An authority with an ended term behind it, whose children have records that give facts."""

from tests.allocation.conftest import add_child, board, house

__all__ = ["add_child", "board", "house"]
