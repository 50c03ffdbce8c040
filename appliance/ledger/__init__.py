"""Double-entry books: append-only, in minor units, one currency an account."""
