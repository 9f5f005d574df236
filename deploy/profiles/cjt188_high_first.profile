# Water meters that follow the text of 2004: identifiers go out as 90 1F, A0 17.
name cjt188_high_first
protocol CJT188
identifier_low_first no
