"""Which domains a dataset's images are of, and what each of them is for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput
from foxnas_core.files import check_file
from foxnas_core.records import RecordKind, Stored

IID, OOD, WORST = "iid", "ood", "worst"
_NAME = re.compile(r"[\w.-]{1,40}")
_TAKEN = (IID, OOD, WORST, "int8")
_ROLES = ("training", "selection", "test")
_MAY_BE_LEFT_OUT = Stored(omitted=True)
Names = Annotated[tuple[str, ...], _MAY_BE_LEFT_OUT]


@dataclass(frozen=True)
class DomainSplit:
    """The domains by what they are for; images number them in the order of `names`.

    Networks learn on `training`, and are held against things of these that no training image shows
    (`iid`). By `selection` whoever selects may look beyond them; `test` is what nobody looked at
    (`ood`). `held_out` names the things of `training` that are not learnt, by default a drawn
    fifth. `name`, `licence` and `classes` are of images that no folders tell them of. Raises
    `InvalidInput` for a domain of two roles, or none to learn on or to test on.
    """

    training: tuple[str, ...]
    test: tuple[str, ...]
    selection: Names = ()
    held_out: Names = ()
    classes: Names = ()
    name: Annotated[str, _MAY_BE_LEFT_OUT] = ""
    licence: Annotated[str, _MAY_BE_LEFT_OUT] = ""

    def __post_init__(self) -> None:
        if not (self.training and self.test):
            raise InvalidInput(
                "Domains need at least one to train on and one for the test; name them as "
                "'training' and 'test'."
            )
        for name in self.names:
            if not _NAME.fullmatch(name) or name in _TAKEN:
                raise InvalidInput(
                    f"{name!r} can't name a domain, after which a column is called; take letters, "
                    f"digits, points and dashes, and none of {', '.join(_TAKEN)}."
                )
            if self.names.count(name) > 1:
                raise InvalidInput(f"The domain {name!r} has two roles; give it one.")

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.training, *self.selection, *self.test)

    def role_of(self, domain: str) -> str:
        """What a domain is for, one of training, selection and test."""
        return next(role for role in _ROLES if domain in getattr(self, role))

    def numbers_of(self, domains: tuple[str, ...]) -> list[int]:
        """How images number these domains."""
        return [self.names.index(domain) for domain in domains]


DOMAINS = RecordKind[DomainSplit | None](
    "domains.json", DomainSplit, "which domains the images are of, and what each is for"
)


def split_from_roles(roles: Mapping[str, str], found: tuple[str, ...]) -> DomainSplit:
    """The split in which those of the `found` domains that `roles` (domain to role) leaves out are
    trained on; raises `InvalidInput` for a role or a domain that there is not."""
    for domain, role in roles.items():
        if role not in _ROLES:
            raise InvalidInput(f"{role!r} is no role of a domain; take one of {', '.join(_ROLES)}.")
        if domain not in found:
            raise InvalidInput(f"There is no domain {domain!r} but {', '.join(found)}.")
    training, selection, test = (
        tuple(d for d in found if roles.get(d, "training") == role) for role in _ROLES
    )
    return DomainSplit(training, test, selection)


def read_split(path: Path) -> DomainSplit | None:
    """That of a `domains.json`; None where there is none, raises `InvalidInput` for a damaged
    one."""
    if not path.exists():
        return None
    try:
        return DOMAINS.value(parse_json(check_file(path).read_bytes()))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} tells no roles of domains ({error}); mend it.") from error
