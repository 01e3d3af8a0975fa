"""`tigertag`, and `python -m tigertag`."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """The console script."""
    try:
        # Here and not above, so that ctrl-c in the first tenth of a second shows no traceback either.
        from tigertag.cli.main import main as run  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
