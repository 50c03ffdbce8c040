"""An address that holds what no text may hold leads nowhere, and is no fault, on either engine."""

import pytest
from flask.testing import FlaskClient


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/releases/%00", 404),
        ("/api/v1/releases/a%00b", 404),
        ("/api/v1/releases?artist=%00", 404),
        ("/genres/%00", 404),
        ("/@%00", 404),
        ("/@a%00/b%00", 404),
        ("/search?q=%00", 200),
        ("/search?q=a%00b&%00=1", 200),
        ("/redeem?code=%00", 200),
        ("/invitations/%00", 404),
        ("/oembed?url=%00", 404),
        ("/%00", 404),
    ],
)
def test_a_byte_that_no_text_holds_leads_nowhere(client: FlaskClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status
