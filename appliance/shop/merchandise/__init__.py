"""Things that are sent: articles with their options and stock, where they are shipped to, orders of them, and what is to be sent."""
