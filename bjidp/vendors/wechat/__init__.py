"""WeChat: login of its mini-programs, its face check and its phone button.

Owns the wire of ``api.weixin.qq.com`` as far as it is used: ``sns/jscode2session``, ``cgi-bin/stable_token``,
``cityservice/face/identify`` and ``wxa/business/getuserphonenumber``. Assembled by ``bjidp.vendors.catalog``.
"""
