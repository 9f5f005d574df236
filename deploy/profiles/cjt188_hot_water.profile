# Domestic hot water, for addresses of 14 digits, which do not tell the meter's type.
name cjt188_hot_water
protocol CJT188
meter_type 11
