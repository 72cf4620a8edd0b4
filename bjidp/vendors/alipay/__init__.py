"""Alipay: login of its mini-programs and of websites, its face check and its phone button.

Owns the wire of ``openapi.alipay.com/gateway.do`` as far as it is used, signed both ways
(``alipay.system.oauth.token``, ``alipay.user.info.share`` and ``alipay.user.certify.open``), and the form of what
``my.getPhoneNumber`` gives. Assembled by ``bjidp.vendors.catalog``.
"""
