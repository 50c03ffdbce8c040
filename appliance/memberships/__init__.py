"""What a person may hear, and the signed permission to fetch it."""
