"""MusicConnect without HTTP and without ffmpeg: the product's rules, data and durable work."""
