"""A plugin for processes that tests start (FOXNAS_PLUGINS=judged_leniently): see `briefly`."""

import pytest
from briefly import judge_leniently

judge_leniently(pytest.MonkeyPatch())
