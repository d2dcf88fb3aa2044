"""Lists in the admin that stay quick among a million rows: every query of theirs goes through an index, and none counts
further than somebody would leaf.

Django's own lists count the whole table, look for each filter's values with a DISTINCT over it, and search by
`ILIKE '%…%'`: each reads every row.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)

MOST_COUNTED = 5_000
MOST_SEEN = 40


class AtLeast(int):
    """A count that was given up at this number."""

    def __str__(self) -> str:
        return f"{int(self)}+"


class BoundedPaginator(Paginator[Any]):
    """Counts up to `MOST_COUNTED` rows: fifty pages are more than anybody leafs through; filters find the rest."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        # In the list's own order: that is the index's, too. Without what is shown beside: that is for one page.
        found = rows.values("pk")[: MOST_COUNTED + 1].count()
        return AtLeast(MOST_COUNTED) if found > MOST_COUNTED else found


class BigList(admin.ModelAdmin[Row]):
    """A list of many rows. `searched` are the columns that a search compares as they are; each has an index."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    searched: ClassVar[tuple[str, ...]] = ()

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.searched  # that there are any shows the box

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        term = search_term.strip()
        return (queryset.filter(self.found_by(term)) if term else queryset), False

    def found_by(self, term: str) -> Q:
        """What a search for these words looks for."""
        found = Q()
        for column in self.searched:
            found |= Q(**{column: term})
        return found


class Seen(admin.SimpleListFilter):
    """A filter by the values that a column holds, each found with one step through the column's index."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        seen = values_of(model_admin.model._default_manager.all(), self.column)
        chosen = self.value()
        return [(value, value) for value in (*seen, *([chosen] if chosen and chosen not in seen else ()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


def seen(column: str, name: str) -> type[Seen]:
    """The filter by this column, under this name."""
    return type(f"Seen{column.title()}", (Seen,), {"column": column, "title": name, "parameter_name": column})


def values_of(rows: QuerySet[Any], column: str, most: int = MOST_SEEN) -> list[str]:
    """The first distinct values of a text column, in order, without the empty one."""
    values: list[str] = []
    last = ""
    while len(values) < most:
        rest = rows.filter(**{f"{column}__gt": last}).order_by(column).values_list(column, flat=True)
        found = rest.first()
        if found is None:
            break
        values.append(found)
        last = found
    return values
