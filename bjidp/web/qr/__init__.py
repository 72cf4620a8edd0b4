"""The pages' end of a QR: the socket and its stand-ins, the redeem, 验证身份 in 京通."""
