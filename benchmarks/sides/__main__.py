"""Does one task of one side; see the package."""

from __future__ import annotations

import json
import sys


def main() -> None:
    side, task, name, options = sys.argv[1:]
    if side == "arena":
        from sides import ours

        result = getattr(ours, task)(name, **json.loads(options))
    else:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # some of their packages would import it
        from sides import theirs

        result = getattr(theirs, task)(name, side=side, **json.loads(options))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
