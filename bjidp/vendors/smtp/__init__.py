"""Mail over SMTP (RFC 5321), handed to one server that brings it on."""
