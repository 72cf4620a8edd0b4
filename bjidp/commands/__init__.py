"""What whoever runs the server does at a command line, one module a command; each adds itself to :mod:`bjidp.cli`."""
