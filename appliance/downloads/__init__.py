"""Music to keep as files: made when somebody asks, in the format they chose, and kept for the next who does."""
