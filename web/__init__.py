"""MusicConnect over HTTP: pages, the API, the player, and the bytes of music."""
