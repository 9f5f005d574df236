# Meters that count whole litres and say so by unit 29H; the standard's two decimals would show a hundredth of it.
name cjt188_litres
protocol CJT188
volume_decimals 0
register 8-0:1.0.0 scale 0 unit L
