# Captured on live meters: 070102FF with an order number, both MACs zero, the meter's address as customer; L = 22H.
# The operator is 44 33 22 11, sent as 77 66 55 44.
name dlt645_order_wallet
protocol DLT645_2007
operator_code 44332211
prepay.order_number yes
prepay.zero_macs yes
prepay.address_as_customer yes
