"""Settings for the whole suite."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # so that tests in sub-folders can import shared_data

settings.register_profile("zhol", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("zhol")
