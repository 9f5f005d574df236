# State Grid meters: the security module makes ciphertext and MAC (Authority.cipher, .mac).
name dlt645_sealed
protocol DLT645_2007
password_level.relay 98
password_level.write 99
