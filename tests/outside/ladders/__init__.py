"""A small system of its own: ladders of three decisions that tell which side of an image is
brighter. Importing it registers all that it brings; nothing elsewhere knows it."""

from outside.ladders.brightness import SIDEDNESS, Sidedness
from outside.ladders.cards import RUNGS, WIDTHS
from outside.ladders.climbing import Climbing
from outside.ladders.family import Ladders

from foxnas_core.cards.analysis import register_analysis
from foxnas_core.families import register_family
from foxnas_core.methods import register_method
from foxnas_core.table.metrics import register_metric
from foxnas_core.tasks import register_task

register_family(Ladders())
register_metric(SIDEDNESS)
register_task(Sidedness)

register_method(Climbing())
register_analysis(RUNGS)
register_analysis(WIDTHS)
