# Closing needs a hand on the button: a permit to close is sent where a direct close was asked for.
name dlt645_button
protocol DLT645_2007
hand_on_button yes
