"""The room's handlers, as `app` serves them."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

import panel.exchange.models as _tables

HANDLERS: Sequence[HTTPRouteHandler] = ()
TABLES = (_tables.ExchangeClient, _tables.ExchangeToken, _tables.UsedAssertion)
