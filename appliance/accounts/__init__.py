"""People: users, roles and API tokens."""
