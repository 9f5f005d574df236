# Meters that do not heed the frame count bit, or answer a toggled one with nothing.
name mbus_no_fcb
protocol MBUS
uses_fcb no
