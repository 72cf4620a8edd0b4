"""The mini-program's server side: platform sign-in, registration by face, and the sessions of phones."""
