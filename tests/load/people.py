"""Who the load is made of: listeners, artists who upload, fans who buy, and somebody who tries what is not theirs."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import math
import random
import re
import time
import wave
from array import array
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

from tests.load.client import Client
from tests.load.client import Failed
from tests.load.journal import Acknowledged

CHUNK_BYTES = 64 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
UPLOADER_PAUSE_S = 3
"""Before the page's uploader asks again, the second time and later."""
ANY = range(200, 500)
RATE_HZ = 44_100


def acknowledged(client: Client, kind: str, id: str, **facts: Any) -> None:
    """The server said so."""
    client.journal.write(Acknowledged(kind, id, time.time(), facts))


def song(dice: random.Random, *, seconds: int = 0) -> bytes:
    """So many, or some, seconds of a tone that no other song has, made without a process of its own."""
    length = dice.randrange(60, 400)
    period = array("h", (round(9000 * math.sin(2 * math.pi * at / length)) for at in range(length)))
    period[0] = dice.randrange(-9000, 9000)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(period.tobytes() * ((seconds or dice.randrange(3, 7)) * RATE_HZ // length))
    return made.getvalue()


class Listener:
    """Opens a page, puts a song on, and fetches its sound range by range."""

    def __init__(self, client: Client, dice: random.Random) -> None:
        self.client, self.dice = client, dice

    def act(self) -> None:
        """One visit."""
        self.client.ask("page", "GET", "/")
        releases = self.client.get("browse", "/api/v1/releases")["items"]
        release = self.client.get("browse", f"/api/v1/releases/{self.dice.choice(releases)['id']}")
        tracks = [track for track in release["tracks"] if track["access"]["may_play"]]
        if not tracks:
            return
        track = self.dice.choice(tracks)
        asked = self.client.ask("play", "POST", f"/api/v1/tracks/{track['id']}/play", repeatable=True)
        self.hear(str(asked.json()["hls_url"]))

    def hear(self, master_url: str) -> None:
        """The master playlist, the playlist of one rung, and its first ranges."""
        master = self.client.ask("playlist", "GET", master_url).data.decode()
        rung = self.dice.choice([line for line in master.splitlines() if line and not line.startswith("#")])
        where = urljoin(master_url, rung)
        playlist = self.client.ask("playlist", "GET", where).data.decode()
        name, size, start = re.findall(r'URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"', playlist)[0]
        end = int(start) + int(size)
        spans = [(int(start), end)]
        for told in itertools.islice(re.findall(r"#EXT-X-BYTERANGE:(\d+)(?:@(\d+))?", playlist), 3):
            first = int(told[1]) if told[1] else end
            end = first + int(told[0])
            spans.append((first, end))
        for first, after in spans:
            answer = self.client.ask(
                "sound",
                "GET",
                urljoin(where, name),
                headers={"Range": f"bytes={first}-{after - 1}"},
                expected=(206,),
            )
            if len(answer.data) != after - first:
                self.client.journal.wrong(f"a range of {after - first} bytes came as {len(answer.data)}")


class Uploader:
    """An artist who sends a song after the other by tus, and goes on where it was cut."""

    def __init__(self, client: Client, dice: random.Random, artist: str) -> None:
        self.client, self.dice, self.artist = client, dice, artist
        self.release = ""

    def act(self) -> None:
        """One song; it counts as acknowledged with the answer to its last byte."""
        if not self.release:
            made = self.client.post(
                "release",
                f"/api/v1/artists/{self.artist}/releases",
                {"title": f"Under load {uuid4().hex[:8]}", "kind": "album"},
                key=str(uuid4()),
            )
            self.release = str(made["id"])
        content = song(self.dice)
        track = self.send(f"song {uuid4().hex[:8]}.wav", content)
        acknowledged(self.client, "upload", track, sha256=hashlib.sha256(content).hexdigest())

    def send(self, name: str, content: bytes) -> str:
        """The file from its first byte to its last; returns the id of the track."""
        told = (("filename", name), ("release", self.release))
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told)
        headers = {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        made = self.client.ask(
            "upload", "POST", "/api/v1/uploads", body=b"", headers=headers, expected=(201,)
        )
        path, offset = made.headers["Location"], 0
        for _ in range(200):
            part = content[offset : offset + CHUNK_BYTES]
            sent = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            try:
                answer = self.client.ask("chunk", "PATCH", path, body=part, headers=sent, expected=(204,))
            except Failed:
                # As the page does it, and the protocol's own way on: wait a moment, and ask how far it came.
                time.sleep(UPLOADER_PAUSE_S)
                answer = self.client.ask("offset", "HEAD", path, headers=TUS)
            offset = int(answer.headers["Upload-Offset"])
            if offset == len(content):
                return str(path.rpartition("/")[2])
        raise Failed("an upload does not come to its end")


class Buyer:
    """A fan who gives a tip after the other."""

    def __init__(self, client: Client, dice: random.Random, artist_id: str, email: str) -> None:
        self.client, self.dice, self.artist_id, self.email = client, dice, artist_id, email

    def act(self) -> None:
        """One order, paid; it counts as acknowledged when the till sends back to the shop."""
        amount = self.dice.randrange(200, 2000)
        wish = {"kind": "tip", "thing": self.artist_id, "tip_minor": amount}
        quote = self.client.post("quote", "/api/v1/quotes", wish, key=str(uuid4()))
        order = {**wish, "total_minor": quote["total_minor"], "provider": quote["providers"][0]["name"]}
        made = self.client.post("order", "/api/v1/orders", order, key=str(uuid4()))
        self.pay(str(made["pay_url"]))
        acknowledged(self.client, "purchase", made["id"], total_minor=quote["total_minor"])

    def pay(self, url: str) -> None:
        """By a good card, at the demo's till or at that of the fake of Stripe."""
        page = self.client.ask("till", "GET", url).data.decode()
        email, csrf = (
            self.email.replace("@", "%40"),
            re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page),
        )
        fields = f"csrf_token={csrf[0]}&card=good" if csrf else "card=4242424242424242&country=DE"
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Referer": url}
        # Paying is no idempotent request: whether a lost answer was a payment is seen by going to the till again.
        try:
            body = f"{fields}&email={email}".encode()
            self.client.ask("pay", "POST", url, body=body, headers=sent, expected=(303,))
        except Failed:
            self.client.ask("till", "GET", url, expected=(303,))


class Intruder:
    """Asks for what is not theirs; whatever else goes wrong, the answer is never the thing."""

    def __init__(self, client: Client, dice: random.Random, closed: list[str]) -> None:
        self.client, self.dice, self.closed = client, dice, closed

    def act(self) -> None:
        """One track that only members may hear, and one address with a signature of their own making."""
        track = self.dice.choice(self.closed)
        asked = self.client.ask(
            "intrude", "POST", f"/api/v1/tracks/{track}/play", expected=ANY, repeatable=True
        )
        if asked.status == 200:
            self.client.journal.wrong(f"track {track} was opened to somebody without the right to it")
        forged = self.client.ask(
            "intrude", "GET", f"/media/{uuid4().hex}.{uuid4().hex}/{track}/master.m3u8", expected=ANY
        )
        if forged.status == 200:
            self.client.journal.wrong(f"a forged address opened track {track}")
