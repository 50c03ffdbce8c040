"""The blueprint of the installed app."""

from flask import Blueprint

blueprint = Blueprint("installed", __name__)
