"""A plugin for processes that tests start (FOXNAS_PLUGINS=timed_briefly): see `briefly`."""

import pytest
from briefly import time_briefly

time_briefly(pytest.MonkeyPatch())
