"""`python -m powerhal`."""

from powerhal.cli import main

raise SystemExit(main())
