"""A started appliance, its application and a client, for every test of the web."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.web.contract import ContractClient
from web.app import create_app


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    with site.started(tmp_path / "data") as appliance:
        yield appliance


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
