"""What its owner changes about an account: password, phone, mail, username, 民族, and that it ends."""
