"""国家政务服务平台: login to websites.

Owns the client of a wire that is told to nobody but who joins it: names, places and the cipher are settings
(:class:`bjidp.vendors.settings.NationalLoginSettings`). Assembled by ``bjidp.vendors.catalog``.
"""
