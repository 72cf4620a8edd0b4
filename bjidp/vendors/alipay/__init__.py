"""Alipay: login of its mini-programs and its face check, both through the signed gateway, and its phone button.

Owns the wire of ``openapi.alipay.com/gateway.do`` as far as it is used (``alipay.system.oauth.token`` and
``alipay.user.certify.open``), and the form of what ``my.getPhoneNumber`` gives. Assembled by ``bjidp.vendors.catalog``.
"""
