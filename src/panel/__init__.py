"""Panel: one consent-aware shared record for disabled children and the agencies around them."""

import gc

# Starting makes hundreds of thousands of objects that all stay, and each visit of the collector
# looks at them again: at Python's own threshold of 700 a fifth of a start is spent on that. Serving
# keeps it: there it changes neither time nor memory (adr/0047).
gc.set_threshold(50_000)
