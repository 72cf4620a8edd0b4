"""bjidp: an identity server whose login is a QR code that a phone confirms.

The rooms, from the inside out: leaves (``clock``, ``entropy``, ``errors``, ``secret``, ``records``), shared
services (``signals``, ``throttle``, ``sessions``, ``audit``, ``privacy``), features (``qrlogin``, ``accounts``,
``proofing``, ``miniprogram``), adapters (``storage``, ``vendors``, ``web``), ``bootstrap``, which wires them, and
what starts them (``serving``, ``commands``, ``demo``). ``docs/architecture.md`` has the import rules; import-linter
enforces them.
"""
