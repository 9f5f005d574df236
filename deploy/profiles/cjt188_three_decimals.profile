# Ultrasonic meters that send cubic metres (2CH) with three decimals.
name cjt188_three_decimals
protocol CJT188
volume_decimals 3
