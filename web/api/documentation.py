"""The OpenAPI document of the interface, and the same as a page for people."""
