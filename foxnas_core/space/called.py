"""Names of subnets that people can say, beside their ids.

Two words follow from an id, always the same ones. There are 4,096 pairs, so two subnets of a long
list may share a name: it always stands beside the id, which alone is used in files and addresses.
"""

import zlib

_ADJECTIVES = (
    "agile amber ample apt bold brave brief bright brisk calm candid chief civil clear clever "
    "cosy crisp deft eager early fair fast fine firm fleet fond frank fresh gentle glad grand "
    "happy hardy honest keen kind lively loyal lucid lucky mellow merry mild neat nimble noble "
    "patient plain polite prompt proud quick quiet ready shrewd sleek smart snug sober sound "
    "steady sunny tidy witty "
)
_FIRST = _ADJECTIVES.split()
_ANIMALS = (
    "ant badger bat bear beaver bee bison boar camel cat cod crab crane crow deer dingo dove duck "
    "eagle eel egret elk falcon ferret finch fox frog gecko gull hare hawk heron ibex ibis jackal "
    "jay kite koala lark lemur lion lynx magpie marten mole moose moth newt otter owl panda perch "
    "pike puffin quail raven robin seal shrew stoat swan tern toad wren "
)
_SECOND = _ANIMALS.split()


def name_of(subnet: str) -> str:
    """The two words of a subnet by its id."""
    first, second = divmod(zlib.crc32(subnet.encode()) % (len(_FIRST) * len(_SECOND)), len(_SECOND))
    return f"{_FIRST[first]} {_SECOND[second]}"


def called(subnet: str) -> str:
    """The name with the id, as lists and headlines show it."""
    return f"{name_of(subnet)} · {subnet}"
