"""Pure mapping between Panel's messages and FHIR R4 with UK Core; imports no room of Panel."""
