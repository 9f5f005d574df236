# LoRa valve meters: A017 with 00 asks for the valve's state; a permit to close releases the valve (66) and leaves the
# opening to the hand lever.
name cjt188_valve_query
protocol CJT188
identifier_low_first no
valve_by_query yes
relay_code.permit_close 66
