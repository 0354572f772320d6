"""How the choices of a space become the columns of a regression: terms in parts."""
