# The same for the edition of 1997.
name single-1997
protocol DLT645_1997
single_reads yes
