"""The room's handlers, as `app` serves them."""

from panel.exchange.child_systems import HANDLERS as OF_A_CHILD
from panel.exchange.client_routes import HANDLERS as CLIENTS
from panel.exchange.fhir_routes import HANDLERS as FHIR
from panel.exchange.inbox_pages import HANDLERS as PAGES
from panel.exchange.inbox_routes import HANDLERS as INBOX
from panel.exchange.token_routes import HANDLERS as TOKENS

HANDLERS = [*TOKENS, *FHIR, *CLIENTS, *INBOX, *PAGES, *OF_A_CHILD]
