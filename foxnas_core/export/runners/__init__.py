"""Scripts that go with an export, each alone with one runtime, numpy and pillow."""
