"""The collective itself: its name, look and texts, how it is first set up, and what its admins look after."""
