# A valve on the digital output FD 1AH: 1 opens it, 0 closes it. The meter shows the output in its readout.
name mbus_digital_output
protocol MBUS
valve_open 51 01 FD 1A 01
valve_close 51 01 FD 1A 00
