# The same for the edition of 1997.
name dlt645_single_1997
protocol DLT645_1997
single_reads yes
