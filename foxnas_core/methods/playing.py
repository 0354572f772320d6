"""How a method plays against a generator of images."""

from dataclasses import dataclass

from foxnas_core.methods.method import Method


@dataclass(frozen=True)
class Playing(Method):
    """A method with the settings of a game.

    - With `generator` ("on" or "off") it selects by made images, else by a held-out domain.
    - `cycle`, `transport` and `meaning` as in `training.updates.minimax.GameSettings`; `on_made`
      (alike) is whether weights train on made images too.
    - `epochs` over the first `images` training images of the study, or of `data`.
    """

    generator: str = "on"
    on_made: str = "off"
    cycle: float = 1.0
    transport: float = 0.01
    meaning: float = 20.0
    candidates: int = 32
    epochs: int = 24
    images: int = 6000
    data: str | None = None

    @property
    def plays(self) -> bool:
        return self.generator == "on"
