"""Exchange with other systems: who may come in, and FHIR bound to the database."""
