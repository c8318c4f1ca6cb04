"""The room's handlers, as `app` serves them."""

from panel.exchange.client_routes import HANDLERS as CLIENTS
from panel.exchange.export_routes import HANDLERS as EXPORTS
from panel.exchange.fhir_routes import HANDLERS as FHIR
from panel.exchange.subscription_routes import HANDLERS as SUBSCRIPTIONS
from panel.exchange.token_routes import HANDLERS as TOKENS

HANDLERS = [*TOKENS, *FHIR, *SUBSCRIPTIONS, *EXPORTS, *CLIENTS]
