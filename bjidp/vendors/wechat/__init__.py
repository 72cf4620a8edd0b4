"""WeChat: login of its mini-programs and of websites, its face check and its phone button.

Owns the wire of ``api.weixin.qq.com`` as far as it is used: ``sns/jscode2session``, ``cgi-bin/stable_token``,
``cityservice/face/identify``, ``wxa/business/getuserphonenumber``, ``sns/oauth2/access_token`` and ``sns/userinfo``.
Assembled by ``bjidp.vendors.catalog``.
"""
