"""A Parquet table, part by part: what it says of itself, and what it turns out to hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.io.tables.bounds import require_bytes, require_cells, require_columns
from cardio_core.types.unpacking.bounds import HARMLESS_BYTES

_MOST_ROWS = 16_384


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a table whose size is checked before and while it is unpacked.

    A million rows that repeat one value take a few bytes, and a text of a megabyte can be repeated
    as cheaply: so as many rows are read at once as cannot exceed `HARMLESS_BYTES` if each held the
    whole of its row group.

    Raises
    ------
    DataError
        Too many columns or cells; too much, unpacked.
    ImportError
        If pyarrow is not installed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        about = file.metadata
        require_columns(path.name, about.num_columns)
        require_cells(path.name, about.num_rows * about.num_columns)
        parts: list[Any] = []
        n_bytes = 0
        for rows in file.iter_batches(batch_size=_rows_at_once(about)):
            parts.append(rows)
            n_bytes += rows.nbytes
            require_bytes(path.name, n_bytes)
        return pa.Table.from_batches(parts, schema=file.schema_arrow).to_pandas()  # type: ignore[no-any-return]


def _rows_at_once(about: Any) -> int:
    """Return the rows of a part, by the largest row group.

    Not by its largest column: what pyarrow makes of a damaged column's description can end the
    process, which nothing here could refuse.
    """
    groups = range(about.num_row_groups)
    largest: int = max((about.row_group(group).total_byte_size for group in groups), default=0)
    return max(1, min(_MOST_ROWS, HARMLESS_BYTES // max(largest, 1)))
