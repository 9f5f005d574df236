# LoRa valve meters: A017 with 00 asks for the valve's state, and 55 and 99 force it. Their softer codes, 66 to release to
# open and 77 to release to close, could stand here as relay_code.permit_close 66 and relay_code.open 77; what exactly a
# valve does then is to be asked of its maker.
name cjt188_valve_query
protocol CJT188
identifier_low_first no
valve_by_query yes
