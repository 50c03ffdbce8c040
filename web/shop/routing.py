"""The blueprint of the shop."""

from flask import Blueprint

blueprint = Blueprint("shop", __name__)
