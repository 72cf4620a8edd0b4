"""同步成为国家政务服务平台用户: whoever asked for it when they registered becomes a user there too (REG-1)."""
