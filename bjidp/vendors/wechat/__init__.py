"""WeChat: login of its mini-programs and its face check.

Owns the wire of ``api.weixin.qq.com`` as far as it is used: ``sns/jscode2session``, ``cgi-bin/stable_token`` and
``cityservice/face/identify``. Assembled by ``bjidp.vendors.catalog``.
"""
