"""What the demo's artists say of themselves and their music, and what the collective shows first. Nothing here claims to be heard."""

from __future__ import annotations

from typing import Any

ARTISTS: dict[str, dict[str, Any]] = {
    "lumen-vale": {
        "about": "Slow pieces for *harmonium, tape and weather*. Recorded in a boathouse, mostly before breakfast.",
        "location": "Kiel",
        "links": [{"url": "https://lumen-vale.example", "label": "Diary of the boathouse"}],
    },
    "the-night-ferry": {
        "about": "Two synthesisers, one drum machine, and the last timetable of a line that no longer runs.",
        "location": "Leipzig",
        "links": [{"url": "https://night-ferry.example", "label": "Dates"}],
    },
    "ada-quill": {
        "about": "Songs from a kitchen: a nylon-string guitar, a bicycle bell, and **one** microphone.",
        "location": "Graz",
        "links": [{"url": "mailto:ada@quill.example", "label": "Write to Ada"}],
    },
}
RELEASES: dict[str, dict[str, Any]] = {
    "Tidewater Letters": {
        "about": "Three letters that were never sent, read aloud by instruments.\n\n"
        "- Side one was played at low tide.\n- Side two waited for the rain.",
        "licence": "CC-BY-4.0",
        "catalogue_number": "DEMO 001",
        "release_date": "2025-10-03",
        "contributors": [
            {"name": "Lumen Vale", "role": "Composer"},
            {"name": "Mika Arend", "role": "Recording"},
            {"name": "Jo Tamsin", "role": "Mastering"},
        ],
        "credits": "Thanks to the harbour master for the key.",
    },
    "Harbour Bells": {
        "about": "One bell, struck by hand, and what the water made of it. *Whole for listeners with an account.*",
        "licence": "all-rights-reserved",
        "audience": "listeners",
        "catalogue_number": "DEMO 002",
        "release_date": "2026-03-20",
        "contributors": [
            {"name": "Lumen Vale", "role": "Composer"},
            {"name": "Mika Arend", "role": "Recording"},
        ],
    },
    "Last Train, First Light": {
        "about": "Between the last train and the first light there are four hours. These are three of them.",
        "licence": "CC-BY-SA-4.0",
        "catalogue_number": "DEMO 003",
        "release_date": "2026-05-01",
        "contributors": [
            {"name": "Ines Falk", "role": "Electronics"},
            {"name": "Tom Okafor", "role": "Drums"},
            {"name": "Jo Tamsin", "role": "Mastering"},
        ],
    },
    "Kitchen Songs": {
        "about": "Four songs for the time it takes to boil water, wash up, look out of the window and turn off the lamp.",
        "licence": "CC0-1.0",
        "catalogue_number": "DEMO 004",
        "release_date": "2026-06-12",
        "contributors": [{"name": "Ada Quill", "role": "Guitar"}, {"name": "Ada Quill", "role": "Composer"}],
        "credits": "The bicycle bell belongs to the neighbours.",
    },
}
TRACKS: dict[str, dict[str, Any]] = {
    "Sunday Bicycle": {
        "exclusive": True,
        "contributors": [{"name": "Rosa Quill", "role": "Bicycle bell"}],
        "licence": "CC-BY-4.0",
    },
    "Rain on the Skylight": {
        # A line every five seconds of the 46 that the song has.
        "synced_lyrics": "\n".join(
            (
                "[ti:Rain on the Skylight]",
                "[ar:Ada Quill]",
                "[00:01.00]Rain on the skylight, one by one",
                "[00:06.00]Somebody forgot to tell the sun",
                "[00:11.00]Kettle on the small flame, cup in the hand",
                "[00:16.00]Roofs like a row of ships on land",
                "[00:21.00]Count them slowly, count them twice",
                "[00:26.00]Nobody here is asking the price",
                "[00:31.00]Rain on the skylight, let it be",
                "[00:36.00]Half of the sky fell in my tea",
                "[00:41.00]",
            )
        ),
        "lyrics": "Rain on the skylight, one by one\nSomebody forgot to tell the sun\n"
        "Kettle on the small flame, cup in the hand\nRoofs like a row of ships on land\n\n"
        "Count them slowly, count them twice\nNobody here is asking the price\n"
        "Rain on the skylight, let it be\nHalf of the sky fell in my tea",
        "contributors": [{"name": "Ada Quill", "role": "Lyricist"}],
    },
}
TIERS: dict[str, dict[str, dict[str, Any]]] = {
    "ada-quill": {
        "supporter": {
            "name": "Kitchen table",
            "about": "A chair at the table, and the songs that are for the table only.",
            "price_minor": 400,
            "annual_price_minor": 4000,
        }
    },
}
"""What artists made of the tiers that everyone begins with, by kind."""
MEMBERSHIPS = {"lumen-vale": "superfan", "ada-quill": "supporter"}
"""Of whom the fan is a member, as a gift, and in which tier."""
PRICES = {
    "Last Train, First Light": (700, True),
    "Tidewater Letters": (500, False),
    "Harbour Bells": (300, True),
    "Kitchen Songs": (0, True),
}
"""What releases cost at least, in minor units, and whether one may pay more; nothing at least is *name your price*."""
CATALOGUES = {"lumen-vale": 20}
"""Whose releases are sold all at once, and how many percent are taken off then."""
FEATURED = {
    "Tidewater Letters": "For an early morning with the window open.",
    "Last Train, First Light": "Best after midnight.",
}
"""Releases that the collective shows first, in this order, and what it says of each."""
PLAYLIST: dict[str, Any] = {
    "title": "Rain days",
    "about": "Four that go well with weather.",
    "tracks": ("Low Tide, Early", "Rain on the Skylight", "Sodium Lamps", "Last Light, Left On"),
}
"""A public playlist of the demo's fan."""
DRAFT: dict[str, str] = {
    "artist": "the-night-ferry",
    "title": "Slow Tram",
    "kind": "single",
    "genre": "Electronic",
}
"""A release in the making, so that the studio has something to say."""
