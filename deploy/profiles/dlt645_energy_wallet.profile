# The wallet counts kWh.
name dlt645_energy_wallet
protocol DLT645_2007
prepay.energy yes
