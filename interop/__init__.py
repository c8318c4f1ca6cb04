"""Pure mapping between Panel's messages and FHIR R4 (UK Core). Imports neither panel nor consent."""
