"""The page that leads away: a form may lead nowhere but to us, so whoever goes on to another server goes over a page with a link."""

from flask import render_template


def page(address: str, heading: str) -> str:
    """A page that leads to *address* at once, and by its link where the browser waits."""
    return render_template("leaving.html", there=address, heading=heading)
