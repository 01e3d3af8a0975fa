"""`tigertag`, and `python -m tigertag`."""

from tigertag.cli.main import main

if __name__ == "__main__":
    main()
