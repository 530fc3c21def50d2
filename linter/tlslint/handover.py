"""What workers hand back: pickled results, in which objects that both processes have are named by their number."""

import pickle
from collections.abc import Sequence
from io import BytesIO
from typing import IO, Any


def packed(result: object, shared: Sequence[object]) -> bytes:
    """Return a result as it travels."""
    if not shared:  # asking for the number of each object takes longer than the rest
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    file = BytesIO()
    _Pickler(file, shared).dump(result)
    return file.getvalue()


def unpacked(data: bytes, shared: Sequence[object]) -> Any:
    """Return the result that has arrived, from a worker of our own."""
    return _Unpickler(BytesIO(data), shared).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: IO[bytes], shared: Sequence[object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(item): number for number, item in enumerate(shared)}

    def persistent_id(self, item: object) -> int | None:
        """Return the number of an object that is not copied."""
        return self._numbers.get(id(item))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], shared: Sequence[object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, number: int) -> object:
        """Return the object that has a number."""
        return self._shared[number]
