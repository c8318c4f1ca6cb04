"""The room's handlers, as `app` serves them."""

from panel.exchange.token_routes import HANDLERS as TOKENS

HANDLERS = [*TOKENS]
