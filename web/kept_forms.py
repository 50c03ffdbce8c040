"""A form that cannot be taken because its time ran out comes back with all that was written in it, ready to be sent again.

After a night the session may have ended, and with it the token that protects the form. What somebody wrote must not end with it.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response
from flask import render_template
from flask import request

PRIVATE = ("csrf_token", "password", "code", "secret", "passkey")
LONGEST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """One field of the form."""

    name: str
    value: str

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def shown(self) -> str:
        """As much of the value as a page needs to let somebody recognise it; empty for what is no text of theirs."""
        return "" if self.name.endswith(("token", "version")) else self.value[:LONGEST_SHOWN]


def can_be_kept() -> bool:
    """Whether this request is a form from a page of ours; what another site sends is not offered for sending again."""
    came = request.headers.get("Origin") or request.referrer or ""
    ours = urlsplit(came).netloc == request.host
    return request.method == "POST" and request.blueprint != "api" and ours and bool(request.form)


def fields() -> list[Kept]:
    """What the form of this request holds and may be written into a page."""
    return [
        Kept(name, value)
        for name, values in request.form.lists()
        for value in values
        if not any(word in name for word in PRIVATE)
    ]


def page(status: int, detail: str) -> Response:
    """The page that keeps the form; passwords and codes are not written into it."""
    html = render_template(
        "kept_form.html",
        detail=detail,
        fields=fields(),
        files=bool(request.files),
        action=request.full_path.rstrip("?"),
        signed_out=status == 401,
    )
    return Response(html, status, mimetype="text/html", headers={"Cache-Control": "no-store"})
