# A valve in place of the relay: cut water 4AH, restore water 4CH.
name dlt645_water_relay
protocol DLT645_2007
relay_code.open 4A
relay_code.close 4C
