"""Exchange with health: FHIR R4 and UK Core over HTTP, under the same consent as every page."""
