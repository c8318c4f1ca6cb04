"""Every page of the room."""

from panel.allocation.appeal_routes import HANDLERS as AFTERWARDS
from panel.allocation.decision_routes import HANDLERS as DECISIONS
from panel.allocation.letter_routes import HANDLERS as LETTERS
from panel.allocation.outside_routes import HANDLERS as OUTSIDE
from panel.allocation.packages_routes import HANDLERS as PACKAGES
from panel.allocation.panel_routes import HANDLERS as OF_PANELS
from panel.allocation.request_routes import HANDLERS as REQUESTS
from panel.allocation.services_routes import HANDLERS as SERVICES

HANDLERS = [
    *REQUESTS,
    *SERVICES,
    *DECISIONS,
    *LETTERS,
    *AFTERWARDS,
    *OF_PANELS,
    *OUTSIDE,
    *PACKAGES,
]
