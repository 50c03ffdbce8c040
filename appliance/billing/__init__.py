"""From what providers tell to memberships, orders and books: the inbox of events, their processing, reconciliation."""
