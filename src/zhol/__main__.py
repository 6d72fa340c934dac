"""``python -m zhol`` is the same as ``zhol``."""

from zhol.cli import main

if __name__ == "__main__":
    main()
