"""How sessions share the interpreter."""

import gc
import sys
import time

from streamlit.testing.v1 import AppTest

from pages.shared import process


def test_a_page_that_waits_is_slower_than_alone():
    def script():
        import time

        import streamlit as st

        from pages.shared import process

        process.begin()
        worked = time.thread_time() + 0.05
        while time.thread_time() < worked:
            pass
        st.text(f"{process.slowdown()}")
        time.sleep(0.2)
        st.text(f"{process.slowdown()}")

    page = AppTest.from_function(script, default_timeout=300).run()
    alone, held_up = (float(text.value) for text in page.text)
    # A busy machine holds up the first as well, up to the bound of both.
    assert 1 <= alone <= held_up <= 10 and held_up > 1
    assert sys.getswitchinterval() == process.SWITCH


def test_what_was_imported_is_looked_through_once(monkeypatch):
    frozen = gc.get_freeze_count()
    try:
        monkeypatch.setattr(process, "_seen", 0)
        process.end()
        after = gc.get_freeze_count()
        assert after > frozen
        # Nothing new, so nothing to do; of what was kept, some may go meanwhile.
        kept = [[time.time()] for _ in range(1000)]
        process.end()
        assert gc.get_freeze_count() <= after and kept
    finally:
        gc.unfreeze()
