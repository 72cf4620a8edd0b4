"""Baidu: login and phone button of its smart programs, login of websites, and the H5 face check of its cloud.

Owns the wire of ``spapi.baidu.com/oauth/jscode2sessionkey``, of ``openapi.baidu.com`` for websites, and of
``aip.baidubce.com``, as far as they are used (``oauth/2.0/token``, ``faceprint``). Assembled by
``bjidp.vendors.catalog``.
"""
