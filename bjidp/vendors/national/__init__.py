"""国家政务服务平台: login to websites, and making its users.

Owns the clients of a wire that is told to nobody but who joins it: names, places and the cipher are settings
(``NationalLoginSettings`` and ``NationalRegisterSettings`` of :mod:`bjidp.vendors.settings`). Assembled by
``bjidp.vendors.catalog``.
"""
