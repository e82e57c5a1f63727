"""What processors can be asked for, as plain frozen values in the platform's own words.

`modelled` are the columns whose values are read from avatars, too: they must be part of the model. `read` are columns
that are read from the originals only (`id_variable`, `sort_by_variable`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Names = tuple[str, ...]


@dataclass(slots=True, frozen=True)
class RangeDifference:
    """Inter-record range difference: intervals of one person as lengths and gaps to the interval before."""

    id_variable: str
    target_start_variable: str
    target_end_variable: str

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (self.target_start_variable, self.target_end_variable)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return (self.id_variable,)


@dataclass(slots=True, frozen=True)
class RelativeDifference:
    """A column as its difference to the sum of others, in units of `scaling_unit` (of seconds for datetimes)."""

    target: str
    references: Names
    scaling_unit: float | None = None

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (self.target, *self.references)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return ()


@dataclass(slots=True, frozen=True)
class Datetime:
    """Every datetime column as seconds since 1970."""

    @property
    def modelled(self) -> Names:
        """Columns that are named: none, all datetimes are taken."""
        return ()

    read = modelled


@dataclass(slots=True, frozen=True)
class GroupModalities:
    """Modalities of few rows as one: columns with thresholds of their own, or all with `min_unique` modalities."""

    variable_thresholds: Mapping[str, int] = field(default_factory=dict)
    min_unique: int | None = None
    global_threshold: int | None = None
    new_category: str = "other"

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return tuple(self.variable_thresholds)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return ()


@dataclass(slots=True, frozen=True)
class ToCategorical:
    """Numeric columns of few distinct values as text, with a numeric copy that fills in for the label `category`."""

    to_categorical_threshold: int
    keep_continuous: bool = False
    continuous_suffix: str = "__cont"
    category: str = "other"

    @property
    def modelled(self) -> Names:
        """Columns that are named: none, all of few values are taken."""
        return ()

    read = modelled


@dataclass(slots=True, frozen=True)
class Proportions:
    """Columns as shares: of their sum (`sum_to_one`), or of the reference."""

    variable_names: Names
    reference: str
    sum_to_one: bool = True
    decimal_count: int = 1

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (*self.variable_names, self.reference)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return ()


@dataclass(slots=True, frozen=True)
class Perturbation:
    """How much of the distance between a person and the avatar stays: 1 all of it, 0 none."""

    perturbation_level: Mapping[str, float]

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return tuple(self.perturbation_level)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return ()


@dataclass(slots=True, frozen=True)
class ExpectedMean:
    """Avatars shifted (and with `same_std` stretched) to the mean of the originals, group by group."""

    target_variables: Names
    groupby_variables: Names = ()
    same_std: bool = False

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (*self.target_variables, *self.groupby_variables)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return ()


@dataclass(slots=True, frozen=True)
class GeolocationNormalization:
    """Longitudes as positions among the places of their latitude where anything is."""

    latitude_variable: str
    longitude_variable: str
    n_reference_lat: int
    n_bins: int

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (self.latitude_variable, self.longitude_variable)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return ()


@dataclass(slots=True, frozen=True)
class CumulatedDifference:
    """Values of one person in ascending order, as the first one and the steps between them."""

    id_variable: str
    target_variable: str

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (self.target_variable,)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return (self.id_variable,)


@dataclass(slots=True, frozen=True)
class BoundedCumulatedDifference:
    """Values of one person in the order of the rows, as the first one and shares of the way to the bound."""

    id_variable: str
    target_variable: str

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (self.target_variable,)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return (self.id_variable,)


@dataclass(slots=True, frozen=True)
class BoundedRangeDifference:
    """Intervals of one person, ordered by `sort_by_variable` or as the rows are, as shares of the way to the bounds."""

    id_variable: str
    target_start_variable: str
    target_end_variable: str
    sort_by_variable: str | None = None

    @property
    def modelled(self) -> Names:
        """Columns that are modelled."""
        return (self.target_start_variable, self.target_end_variable)

    @property
    def read(self) -> Names:
        """Columns that are read from the originals only."""
        return (self.id_variable, *((self.sort_by_variable,) if self.sort_by_variable else ()))


Processor = (
    RangeDifference
    | RelativeDifference
    | Datetime
    | GroupModalities
    | ToCategorical
    | Proportions
    | Perturbation
    | ExpectedMean
    | GeolocationNormalization
    | CumulatedDifference
    | BoundedCumulatedDifference
    | BoundedRangeDifference
)
