from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import load_shipped
from foxnas_core.space.editing.history import MOST, History

MINI = load_shipped("foxnas-mini")
SOME = MINI.sample(8, seed=0)
A, B, C, D = SOME[:4]


def test_undo_and_redo_walk_the_line():
    history = History.begin(A).then(B).then(C)
    assert (history.can_undo, history.can_redo) == (True, False)
    back = history.undo()
    assert back.now.architecture == B and back.can_redo
    assert back.redo() == history
    first = back.undo()
    assert first.now.architecture == A and not first.can_undo
    assert first.undo() == first and history.redo() == history


def test_an_edit_forgets_what_was_undone():
    history = History.begin(A).then(B).then(C).undo().then(D)
    assert [m.architecture for m in history.moments] == [A, B, D] and not history.can_redo


def test_what_changes_nothing_is_no_moment():
    history = History.begin(A).then(B)
    assert history.then(B) is history
    undone = history.undo()
    assert undone.then(A) is undone  # so that what was undone can still be redone


def test_a_new_start_can_be_undone_too():
    history = History.begin(A).then(B).then(C, start=C)
    assert history.now.start == C
    assert history.undo().now.start == A and history.undo().now.architecture == B


def test_the_path_leads_from_the_start_over_each_edit():
    history = History.begin(A).then(B).then(C)
    assert history.path() == (A, B, C)
    assert history.undo().path() == (A, B)
    assert history.then(D, start=D).path() == (D,)


def test_the_path_begins_where_the_start_was_last_left():
    assert History.begin(A).then(B).then(A).then(C).path() == (A, C)
    assert History.begin(A).then(B).then(A).path() == (A,)


def test_edits_that_are_kept_no_more_are_one_step():
    history = History.begin(B, start=A)
    assert history.path() == (A, B)
    for number in range(2 * MOST):
        history = history.then((B, C)[number % 2])
    assert len(history.moments) == MOST
    assert history.path()[0] == A and len(history.path()) == MOST + 1


STEPS = st.lists(st.one_of(st.sampled_from(SOME), st.sampled_from(["undo", "redo"])), max_size=40)


@settings(deadline=None)
@given(STEPS)
def test_it_agrees_with_two_stacks(steps):
    history, done, undone = History.begin(A), [A], []
    for step in steps:
        if step == "undo":
            history = history.undo()
            if len(done) > 1:
                undone.append(done.pop())
        elif step == "redo":
            history = history.redo()
            if undone:
                done.append(undone.pop())
        else:
            history = history.then(step)
            if step != done[-1]:
                done.append(step)
                undone = []
        assert history.now.architecture == done[-1]
        assert (history.can_undo, history.can_redo) == (len(done) > 1, bool(undone))
        path = history.path()
        assert path[0] == A and path[-1] == done[-1] and A not in path[1:]
