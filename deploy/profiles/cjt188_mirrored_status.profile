# Meters that show the valve in bits 7 and 6 of the first status byte (00 open, 40 closed, C0 faulty) and the battery in
# bit 5, where the standard has bits 1, 0 and 2.
name cjt188_mirrored_status
protocol CJT188
status.valve_mask 00C0
status.valve_open 0000
status.valve_closed 0040
status.valve_fault 00C0
status.battery_low 0020
