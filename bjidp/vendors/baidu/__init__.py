"""Baidu: login and phone button of its smart programs, and the H5 face check of its cloud.

Owns the wire of ``spapi.baidu.com/oauth/jscode2sessionkey`` and of ``aip.baidubce.com`` as far as it is used
(``oauth/2.0/token``, ``faceprint``). Assembled by ``bjidp.vendors.catalog``.
"""
