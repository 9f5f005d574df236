# Radio bridges and meters that sleep between requests: more FE to wake them, and up to 3 s to answer.
name cjt188_slow
protocol CJT188
preambles 10
turnaround 3s
