# Several relays behind one address; captured with N2 = 01.
name dlt645_channel1
protocol DLT645_2007
relay_channel 1
