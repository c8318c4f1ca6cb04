"""The room's handlers, as `app` serves them."""

from panel.exchange.child_systems import HANDLERS as OF_A_CHILD
from panel.exchange.client_routes import HANDLERS as CLIENTS
from panel.exchange.export_routes import HANDLERS as EXPORTS
from panel.exchange.fhir_routes import HANDLERS as FHIR
from panel.exchange.handing_over_fhir import HANDLERS as HANDING_OVER
from panel.exchange.handing_over_in_routes import HANDLERS as HANDED_TO_US
from panel.exchange.handing_over_routes import HANDLERS as HANDOVERS
from panel.exchange.inbox_pages import HANDLERS as PAGES
from panel.exchange.inbox_routes import HANDLERS as INBOX
from panel.exchange.pull_routes import HANDLERS as PULLS
from panel.exchange.subscription_routes import HANDLERS as SUBSCRIPTIONS
from panel.exchange.token_routes import HANDLERS as TOKENS
from panel.exchange.undelivered_routes import HANDLERS as UNDELIVERED

HANDLERS = [
    *TOKENS, *FHIR, *SUBSCRIPTIONS, *EXPORTS, *CLIENTS, *INBOX, *PAGES, *OF_A_CHILD, *UNDELIVERED,
    *PULLS, *HANDING_OVER, *HANDED_TO_US, *HANDOVERS,
]  # fmt: skip
