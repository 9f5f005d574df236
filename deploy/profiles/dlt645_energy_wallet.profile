# The wallet counts kWh.
name energy-wallet
protocol DLT645_2007
prepay.energy yes
