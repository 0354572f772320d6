"""An address that pages had once."""

from pages.shared.moved import lead_on

lead_on(__file__)
