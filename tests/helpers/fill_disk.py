"""Write rows that find no room; the limit on a file's size stands for the full disk (EFBIG)."""

import resource
import sys

import numpy as np
import pandas as pd

from bukva.core.scratch import Scratch
from bukva.core.scratch_table import gather_blocks

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
if sys.argv[1] == "images":
    images = Scratch((28, 28))
    images.append(np.zeros((8192, 28, 28), dtype=np.uint8))
else:
    gather_blocks([pd.DataFrame({"text": ["x" * 100] * 8192})])
