"""Panel: one consent-aware shared record for disabled children and the agencies around them."""
