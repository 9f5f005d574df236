# No blocks: the meter refuses them, or answers with the first value only.
name dlt645_single
protocol DLT645_2007
single_reads yes
