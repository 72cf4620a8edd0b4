"""个人中心: what an account is, and every change of it."""
