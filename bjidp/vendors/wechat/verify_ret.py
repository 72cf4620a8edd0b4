"""What each ``verify_ret`` of WeChat's face check comes to.

Owns the table. One value passes. A face that does not fit, or that no further question about this check can turn into
one that fits, has failed: the person starts again. A value that is missing here says that WeChat could not judge
(or is new to us), which is an outage and no verdict: asking about the same check again may yet be answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bjidp.vendors.ports.platforms import FaceVerdict

_PENDING: Final = (
    10005,  # 正在检测中
    10300,  # 未完成核身
)
_OTHER_PERSON: Final = (
    10003,  # 身份证号不匹配
    10004,  # 比对人脸信息不匹配
    10012,  # 比对验证失败
    10026,  # 用户身份数据不在权威源比对库中
)
_NO_USABLE_FACE: Final = (
    10002,  # 人脸特征检测失败
    10010,  # 照片质量较低
    10020,  # 认证超时
    90011,  # 人脸数据采集无效
    90013,  # 人脸数据采集无效
    90014,  # 人脸数据采集无效
    90017,  # 识别过程超时
    90107,  # 用户检测超时
)
_NO_SUCH_CHECK: Final = (
    10017,  # 非法 Id
    10018,  # 用户信息不存在
    10041,  # 非法用户
)
_PHONE_UNABLE: Final = (
    90001,  # 设备不支持人脸检测
    90007,  # 网络错误
    90008,  # 相机权限未授权
    90009,  # 麦克风权限未授权
    90010,  # 相机与麦克风权限未授权
    90012,  # 网络错误上传失败
    90104,  # 获取人脸配置失败
    90105,  # 获取确认数据失败
    90106,  # 相机失败
    90109,  # 设备不支持
    90110,  # 获取协议信息失败
)
_CANCELLED: Final = (90002, 90003, 90004, 90005, 90006)  # 用户取消

VERDICTS: Final[Mapping[int, FaceVerdict]] = MappingProxyType(
    {
        10000: FaceVerdict.PASSED,
        **dict.fromkeys(_PENDING, FaceVerdict.PENDING),
        **dict.fromkeys(_CANCELLED, FaceVerdict.CANCELLED),
        **dict.fromkeys((*_OTHER_PERSON, *_NO_USABLE_FACE, *_NO_SUCH_CHECK, *_PHONE_UNABLE), FaceVerdict.FAILED),
    }
)
