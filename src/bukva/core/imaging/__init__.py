"""From an image file to ink: decoding, paper, rules, pieces; and how paper is simulated."""

import cv2

# Whoever has many images shares them out. Of one, a call to threads takes longer than its pixels.
cv2.setNumThreads(1)
