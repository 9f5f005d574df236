# Password classes as factories usually have them: 02 moves the relay, 04 writes parameters and the clock.
name dlt645_classes
protocol DLT645_2007
password_level.relay 02
password_level.write 04
password_level.clock 04
password_level.clear_demand 04
password_level.clear_events 04
password_level.clear_meter 02
