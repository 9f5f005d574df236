# Radio bridges before the meter.
name dlt645_slow
protocol DLT645_2007
turnaround 3s
preambles 4
