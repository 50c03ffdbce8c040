"""What a listener keeps: favourites, artists they follow, playlists."""
