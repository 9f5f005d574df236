# Meters that do not answer SND_NKE: it is sent without waiting for E5H, since a group ends at what is not answered.
name mbus_silent_reset
protocol MBUS
reset_before_read no
