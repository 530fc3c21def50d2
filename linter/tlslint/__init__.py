"""tlslint knows what an nginx or Apache configuration will do on the wire before anyone deploys it."""

__version__ = "0.1.0"
