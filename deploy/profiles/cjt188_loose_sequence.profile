# Meters that answer every request with sequence 00 or another fixed one. A late reply to the same question cannot be
# told from a fresh one here: use it only where the standard's check fails.
name cjt188_loose_sequence
protocol CJT188
check_sequence no
