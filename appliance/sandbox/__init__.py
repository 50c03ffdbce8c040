"""Programs that read what strangers send run here: bounded, blind to the network and to all files but their own."""

from appliance.sandbox.choosing import AUTO
from appliance.sandbox.choosing import chosen
from appliance.sandbox.choosing import use
from appliance.sandbox.room import Bounds
from appliance.sandbox.room import Room
from appliance.sandbox.running import Ended
from appliance.sandbox.running import NotStarted
from appliance.sandbox.running import run
from appliance.sandbox.walls import Wall
from appliance.sandbox.walls import python
from appliance.sandbox.walls import python_files

__all__ = [
    "AUTO",
    "Bounds",
    "Ended",
    "NotStarted",
    "Room",
    "Wall",
    "chosen",
    "python",
    "python_files",
    "run",
    "use",
]
