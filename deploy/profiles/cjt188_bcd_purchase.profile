# Step-price gas and water meters whose purchase number is BCD (to 99), where others count in binary (to 255).
name cjt188_bcd_purchase
protocol CJT188
prepay.number_bcd yes
