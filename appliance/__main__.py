"""``python -m appliance`` is ``musicconnect``."""

from appliance.cli import main

main()
