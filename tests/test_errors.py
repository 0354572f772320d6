import errno

from foxnas_core.errors import InfeasibleBudget, InvalidInput, sentence_of


def test_a_message_is_one_line_that_can_be_shown_anywhere():
    assert str(InvalidInput("Column 'é' is\n'a\0b\ud800\u202e'.")) == (
        "Column 'é' is 'a\\x00b\\ud800\\u202e'."
    )
    assert str(InfeasibleBudget("Too\nsmall.", smallest=1.0)) == "Too small."


def test_blanks_of_any_kind_are_blanks():
    assert str(InvalidInput("a\u3000b\u2028c\xa0d")) == "a b c d"


def test_of_a_long_message_what_is_wrong_and_how_to_mend_it_stay():
    said = str(InvalidInput(f"t.csv, line 2, has x = {'9' * 5000}; correct it."))
    assert len(said) < 400 and said.startswith("t.csv, line 2, has x = 99")
    assert " … " in said and said.endswith("; correct it.")
    assert len(str(InvalidInput("\0" * 300))) < 400


def test_a_full_disk_is_a_sentence_wherever_it_is_met_and_what_should_not_happen_is_none():
    said = sentence_of(OSError(errno.ENOSPC, "No space left on device", "/tmp/x"))
    assert said.startswith("/tmp/x can't be written (No space left on device); free some space")
    assert sentence_of(OSError(errno.EFBIG, "File too large")).startswith("A temporary file can't")
    assert sentence_of(InvalidInput("Mend it.")) == "Mend it."
    assert sentence_of(OSError(errno.EACCES, "Permission denied")) == sentence_of(KeyError()) == ""
