"""The room's handlers, as `app` serves them."""

from panel.exchange.client_routes import HANDLERS as CLIENTS
from panel.exchange.fhir_routes import HANDLERS as FHIR
from panel.exchange.token_routes import HANDLERS as TOKENS

HANDLERS = [*TOKENS, *FHIR, *CLIENTS]
