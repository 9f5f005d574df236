# Gas meters, for addresses of 14 digits, which do not tell the meter's type.
name cjt188_gas
protocol CJT188
meter_type 30
