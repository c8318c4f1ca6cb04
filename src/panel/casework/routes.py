"""The room's handlers, as `app` serves them."""

from panel.casework.closing_routes import HANDLERS as CLOSING

HANDLERS = [*CLOSING]
