"""个人登录 on computers and phones."""
