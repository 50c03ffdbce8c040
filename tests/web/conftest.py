"""The application, a client that checks every answer, and two people, for every test of the web."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import jobs
from appliance import processors
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.contract import ContractClient
from web.app import create_app


@pytest.fixture
def nobody_works(appliance: Appliance) -> None:
    """What is sent to the queue stays there: nothing is transcoded."""
    jobs.huey.immediate = False


@pytest.fixture
def app(appliance: Appliance) -> Flask:
    app = create_app(appliance)
    app.test_client_class = ContractClient
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A program or a browser; every answer of the interface is held against its description."""
    return app.test_client()


@pytest.fixture
def artist(appliance: Appliance) -> Person:
    """Somebody who makes music."""
    return site.make_person()


@pytest.fixture
def stranger(appliance: Appliance) -> Person:
    """Somebody else."""
    return site.make_person()


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    """A browser of somebody without an account."""
    return app.test_client()


@pytest.fixture
def till(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Till:
    """The one provider that takes money, in memory."""
    till = Till()
    monkeypatch.setattr(processors, "every", lambda: (till,))
    return till
