"""Logging in by what somebody has elsewhere: 国家政务服务平台, 支付宝, 微信, 百度 (LOG-4)."""
