# Answers 078102FF without authentication; the operator goes out as 34 33 33 33.
name dlt645_kede
protocol DLT645_2007
operator_code 01000000
prepay.zero_macs yes
prepay.status_layout sign.bin1 remaining.bcd4 accumulated.bcd4 number.bcd2
