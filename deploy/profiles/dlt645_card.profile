# Single-phase meter without ESAM: the body is complete (L = 30) but nobody checks the MACs; no status query.
name dlt645_card
protocol DLT645_2007
prepay.zero_macs yes
prepay.status_layout none
