r"""``gateway.do``: one address for every method.

Common parameters may come in the query, the rest in the body, or all in either: they are merged before anything else.
The node of an answer is written once; exactly these bytes are signed and sent, slashes escaped as ``\/`` as the real
gateway does, so that a caller who serialises again before verifying fails here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from aiohttp import web

from bjidp.sandbox.alipay import content, signing
from bjidp.sandbox.alipay.errors import AlipayError, Node, invalid, missing
from bjidp.sandbox.camera import notice
from bjidp.sandbox.credentials import AlipayApp

Parameters: TypeAlias = Mapping[str, str]
Method: TypeAlias = Callable[[Parameters], Node]
Page: TypeAlias = Callable[[Parameters], web.Response]

_REQUIRED: Final = (
    ("method", "isv.missing-method", "缺少方法名参数"),
    ("sign_type", "isv.missing-signature-type", "缺少签名类型参数"),
    ("sign", "isv.missing-signature", "缺少签名参数"),
    ("timestamp", "isv.missing-timestamp", "缺少时间戳参数"),
    ("version", "isv.missing-version", "缺少版本参数"),
)


class Gateway:
    """Checks what all methods share, and answers for them."""

    def __init__(self, *, app: AlipayApp, methods: Mapping[str, Method], pages: Mapping[str, Page]) -> None:
        """Serve ``app`` alone; ``pages`` are opened by a person's browser and not called by a server."""
        self._app = app
        self._methods = methods
        self._pages = pages

    def answered(self, parameters: dict[str, str]) -> web.Response:
        """Answer a request with these parameters."""
        method = parameters.get("method", "")
        page = self._pages.get(method)
        try:
            self._check(parameters)
            if page is not None:
                return page(parameters)
            if method not in self._methods:
                raise invalid("isv.invalid-method", "不存在的方法名")
            node = self._methods[method](self._decrypted(parameters))
        except AlipayError as error:
            if page is not None:
                return notice(str(error.node["sub_msg"]), status=400)
            name = _node_name(method) if error.is_business else "error_response"
            return self._answer(name, error.node, parameters, signed=_is_identified(error))
        return self._answer(_node_name(method), node, parameters, signed=True)

    def _check(self, parameters: Parameters) -> None:
        app_id = parameters.get("app_id")
        if not app_id:
            raise missing("isv.missing-app-id", "缺少AppID参数")
        for name, sub_code, words in _REQUIRED:
            if not parameters.get(name):
                raise missing(sub_code, words)
        if app_id != self._app.app_id:
            raise invalid("isv.invalid-app-id", "无效的AppID参数")
        if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            raise invalid("isv.invalid-charset", "字符集错误")
        if parameters.get("format", "json").lower() != "json":
            raise invalid("isv.invalid-format", "无效的数据格式")
        match parameters["sign_type"]:
            case "RSA2":
                pass
            case "RSA":
                raise AlipayError("40003", "isv.missing-signature-config", "应用未配置对应签名算法的公钥或者证书")
            case _:
                raise invalid("isv.invalid-signature-type", "无效的签名类型")
        text = signing.string_to_sign(parameters)
        if not signing.verify(self._app.app_key.public_key(), text.encode(), parameters["sign"]):
            # The real gateway shows the text it expected a signature of: that is how integrators find their mistake.
            raise invalid(
                "isv.invalid-signature",
                f"验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{text}",
            )
        _check_timestamp(parameters["timestamp"])
        if parameters["version"] != "1.0":
            raise invalid("isv.invalid-parameter", "无效的版本参数")

    def _decrypted(self, parameters: Parameters) -> Parameters:
        if not parameters.get("encrypt_type"):
            return parameters
        if parameters["encrypt_type"] != "AES":
            raise invalid("isv.invalid-encrypt-type", "无效的加密类型")
        if not parameters.get("biz_content"):
            return parameters
        try:
            return {**parameters, "biz_content": content.decrypt(self._app.aes_key, parameters["biz_content"])}
        except content.NotDecryptable:
            raise invalid("isv.invalid-encrypt", "解密异常") from None

    def _answer(self, name: str, node: Node, parameters: Parameters, *, signed: bool) -> web.Response:
        text = json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
        if parameters.get("encrypt_type") == "AES" and signed and name != "error_response":
            # The signed text includes the two quotes.
            text = json.dumps(content.encrypt(self._app.aes_key, text))
        body = f'{{"{name}":{text}'
        if signed:
            body += f',"sign":"{signing.sign(self._app.gateway_key, text.encode())}"'
        return web.Response(text=body + "}", content_type="text/html")


def _is_identified(error: AlipayError) -> bool:
    # The gateway has no key to sign with for an app it does not know.
    return error.node["sub_code"] not in {"isv.missing-app-id", "isv.invalid-app-id"}


def _node_name(method: str) -> str:
    return method.replace(".", "_") + "_response"


async def merged(request: web.Request) -> dict[str, str]:
    """Return the parameters of a request, wherever they stand."""
    merged = dict(request.query)
    if request.method == "POST":
        merged.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    return merged


def _check_timestamp(timestamp: str) -> None:
    try:
        datetime.strptime(f"{timestamp}+0800", "%Y-%m-%d %H:%M:%S%z")
    except ValueError:
        raise invalid("isv.invalid-timestamp", "非法的时间戳参数") from None
