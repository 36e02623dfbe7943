"""Files under /proc that are read again and again, kept open up to a limit."""

from __future__ import annotations

import resource
from collections import OrderedDict

from powerhal.transport import FileReader, FileRoot

MOST = 512


class OpenFiles:
    """path -> open reader; the one not used for longest is closed when there are too many.

    A descriptor of /proc/PID/... stays with the process it was opened for: after a pid is used again it
    answers ESRCH, never the new process's numbers.
    """

    def __init__(self, root: FileRoot, most: int = 0) -> None:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._root = root
        self._most = most or (MOST if soft == resource.RLIM_INFINITY else max(8, min(MOST, soft // 4)))
        self._readers: OrderedDict[str, FileReader] = OrderedDict()

    def read(self, path: str) -> bytes:
        """Content now; raises TransportError, and forgets the file then."""
        reader = self._readers.get(path)
        if reader is None:
            reader = self._root.opener(path)
            content = reader.read()  # before it is kept: most files that fail fail at once
            self._readers[path] = reader
            if len(self._readers) > self._most:
                self._readers.popitem(last=False)[1].close()
            return content
        self._readers.move_to_end(path)
        try:
            return reader.read()
        except Exception:
            self.drop(path)
            raise

    def drop(self, path: str) -> None:
        """Close one file if it is open."""
        reader = self._readers.pop(path, None)
        if reader is not None:
            reader.close()

    def close(self) -> None:
        """Close all."""
        while self._readers:
            self._readers.popitem()[1].close()
