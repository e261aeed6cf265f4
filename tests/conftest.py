"""Where the data of others are, for all tests."""

import os

from tests.interchange.texts import DATA

if DATA.is_dir():
    os.environ.setdefault("MPNET_DATA", str(DATA))
