// What the phone says: names of things, and for every code of the wire what happened and what to do next.

export const PLATFORMS = [
  { id: "wechat", name: "微信" },
  { id: "alipay", name: "支付宝" },
  { id: "baidu", name: "百度" },
];

export function platformName(id) {
  return PLATFORMS.find((platform) => platform.id === id)?.name ?? "";
}

export const DOCUMENTS = {
  resident_id: "中华人民共和国居民身份证",
  hk_permit: "港澳居民来往内地通行证（香港）",
  macao_permit: "港澳居民来往内地通行证（澳门）",
  taiwan_permit: "台湾居民来往大陆通行证",
  permanent_resident: "外国人永久居留身份证",
};

export const SHORT_DOCUMENTS = {
  resident_id: "居民身份证",
  hk_permit: "香港居民通行证",
  macao_permit: "澳门居民通行证",
  taiwan_permit: "台湾居民通行证",
  permanent_resident: "永久居留身份证",
};

export const STORIES = {
  ordinary: "一切正常：信息一致，人脸通过",
  mismatch: "姓名与证件号码对不上，核验不通过",
  unknown: "权威库里查不到这个人",
  expired: "证件已过有效期",
  document_withdrawn: "证件已挂失作废",
  face_fails: "人脸识别总是不通过",
  bank_phone_differs: "银行预留手机号与本人的不同",
  bank_card_lost: "银行卡已挂失",
  bank_card_expired: "银行卡已过期",
  rare_character: "姓名里有生僻字",
  compatibility_character: "姓名里的字有两种编码",
  dotted_name: "姓名里有间隔号",
  long_name: "姓名特别长",
  latin_name: "姓名是拉丁字母",
  old_form_card: "持旧版永久居留身份证",
  minor: "未成年人",
  high_risk: "被平台判为高风险",
};

export const ORGANISATION_STORIES = {
  name_differs: "登记的是另一个名称",
  representative_differs: "登记的法定代表人是另一个人",
  unknown: "登记机关查不到",
  revoked: "已被吊销",
  deregistered: "已经注销",
  term_over: "营业期限已过",
};

/** What a verify ticket asks to be confirmed: its name, and what whoever is at the computer can do to `who` then. */
export const ACTIONS = {
  "verify.password": { name: "修改密码", then: (who) => `电脑上就可以换掉 ${who} 的密码` },
  "verify.phone": { name: "修改手机号", then: (who) => `电脑上就可以换掉 ${who} 的手机号` },
  "verify.mail": { name: "绑定邮箱", then: (who) => `电脑上就可以换掉 ${who} 的邮箱` },
  "verify.username": { name: "修改用户名", then: (who) => `电脑上就可以换掉 ${who} 的用户名` },
  "verify.real_name": { name: "实名认证", then: (who) => `电脑上就可以为 ${who} 的账号办理实名认证` },
  "verify.bank_card": { name: "银行卡认证", then: (who) => `电脑上就可以用银行卡为 ${who} 的账号办理认证` },
  "verify.face": { name: "人脸识别认证", then: (who) => `电脑上就可以为 ${who} 的账号办理人脸识别认证` },
  "verify.exchange": { name: "换绑实名身份", then: (who) => `电脑上就可以把 ${who} 的账号换成另一个人的身份` },
  "verify.unbind": { name: "解绑实名身份", then: (who) => `电脑上就可以解除 ${who} 的实名认证，所有设备都要重新登录` },
  "verify.organisation": { name: "登记法人", then: (who) => `电脑上就可以用 ${who} 的账号登记法人` },
  "verify.appoint": { name: "邀请经办人", then: (who) => `电脑上就可以让别人代表 ${who} 登记的法人办事` },
  "verify.withdraw_appeal": { name: "撤回人工申诉", then: (who) => `电脑上就可以撤回 ${who} 提交的人工申诉，材料立即删除` },
  "verify.link": { name: "绑定第三方账号", then: (who) => `电脑上就可以绑定一个第三方账号，以后用它登录 ${who} 的账号` },
  "verify.unlink": { name: "解绑第三方账号", then: (who) => `电脑上就可以解绑 ${who} 用来登录的一个第三方账号` },
  "verify.reauthenticate": { name: "重新登录", then: (who) => `电脑上就可以用 ${who} 的账号继续登录网站` },
  "verify.cancel": { name: "账号注销", then: (who) => `电脑上就可以注销 ${who} 的账号，不能恢复` },
  "verify.recover": { name: "找回密码", then: (who) => `电脑上就可以给 ${who} 设置新密码` },
};

export const WAYS = { qr: "扫码登录", password: "密码登录", sms: "验证码登录", registration: "注册时登录" };

export const LEVELS = { L1: "未实名", L2: "初级认证", L3: "中级认证", L4: "高级认证" };

export const CONSENT =
  "我同意北京市大数据中心使用我所提交的信息注册京通小程序，以及登录北京市统一身份认证平台，以便使用京通相关服务。我已认真阅读并同意《用户服务协议》及《隐私政策》";

/** What a device's site may read, by the scopes of the protocol. */
export const READS = {
  openid: "您在该网站的专用编号",
  profile: "用户名和隐去部分文字的姓名",
  email: "邮箱",
  phone: "手机号",
  identity: "姓名、性别、出生日期、证件类型和证件号码",
  organisation: "您代表的法人",
  offline_access: "您离开后继续读取以上信息",
};

/** A span in words: 43200 is 12 小时. */
export function span(seconds) {
  if (seconds >= 172_800) return `${trimmed(seconds / 86_400)} 天`;
  if (seconds >= 3600) return `${trimmed(seconds / 3600)} 小时`;
  if (seconds >= 60) return `${trimmed(seconds / 60)} 分钟`;
  return `${Math.max(1, Math.ceil(seconds))} 秒`;
}

function trimmed(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** How long ago, from a whole number of seconds. */
export function ago(seconds) {
  if (seconds < 2) return "刚刚";
  if (seconds < 60) return `${Math.floor(seconds)} 秒前`;
  return `${Math.floor(seconds / 60)} 分 ${Math.floor(seconds % 60)} 秒前`;
}

/** How long ago a moment was, in words: 刚刚, 12 分钟前, 3 小时前, 5 天前. */
export function since(instant) {
  const seconds = Math.max(0, (Date.now() - Date.parse(instant)) / 1000);
  if (seconds < 90) return "刚刚";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟前`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} 小时前`;
  return `${Math.floor(seconds / 86_400)} 天前`;
}

const BEIJING = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai",
  month: "long",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** A moment in the city's time: 1月15日 16:00. */
export function moment(instant) {
  return BEIJING.format(new Date(instant));
}

// next: what the one button of the result screen does. "scan" 重新扫码, "home" 回到首页, "login" 重新登录, "again" 再试一次.
const SAYINGS = {
  ticket_unknown: {
    title: "这个二维码不能用",
    text: "它不是本平台的登录二维码，或已失效。请在电脑上打开登录页，扫描那里显示的二维码。",
    next: "scan",
  },
  scene_refused: {
    title: "请对准屏幕扫码",
    text: "图片、截图和别人转发来的二维码不能用来登录。请用扫一扫对准您自己电脑的屏幕。",
    next: "scan",
  },
  frame_stale: {
    title: "二维码已经更新",
    text: "您扫到的是旧画面。请重新对准屏幕上的二维码。",
    next: "scan",
  },
  ticket_expired: {
    title: "二维码已过期",
    text: "时间到了，电脑没有登录。请看电脑屏幕，重新扫描新的二维码。",
    next: "scan",
  },
  phone_taken: {
    title: "这个手机号已经属于另一个账号",
    text: "一个手机号只能绑定一个账号。可以换一个手机号，或者登录那个账号处理。",
    next: "home",
  },
  ticket_taken: {
    title: "已经有人扫过了",
    text: "另一个账号先扫了这个二维码。请在电脑上换一个二维码再扫；二维码若是别人发来的，请不要继续。",
    next: "scan",
  },
  ticket_closed: {
    title: "这个二维码已经用过了",
    text: "它已被确认、拒绝或换新。需要登录时，请扫描电脑上现在显示的二维码。",
    next: "scan",
  },
  confirm_refused: {
    title: "这次确认已失效",
    text: "同一个二维码后来又扫了一次，只有最新的一次算数。请重新扫码后再确认。",
    next: "scan",
  },
  session_unknown: { title: "它已经退出了", text: "这台设备上的登录已经结束，不用再操作。", next: "home" },
  session_ended: { title: "登录已失效", text: "您的京通登录到期了，或在别处被退出。请重新登录。", next: "login" },
  token_invalid: { title: "登录已失效", text: "您的京通登录到期了，或在别处被退出。请重新登录。", next: "login" },
  login_blocked: {
    title: "平台没有让您登录",
    text: "平台认为这个用户有风险。请按平台的提示解除限制，或者换一个平台打开京通。",
    next: "login",
  },
  login_code_invalid: { title: "没有登录成功", text: "平台没有认可这次登录。请再登录一次。", next: "login" },
  registration_unknown: { title: "填写时间过长", text: "这次身份验证已经失效。请重新登录，再填写一次。", next: "login" },
  face_failed: {
    title: "人脸识别没有通过",
    text: "请在光线充足的地方正对屏幕，由本人再试一次。多次不通过时，可携带证件到政务服务大厅办理。",
    next: "again",
  },
  verification_over: {
    title: "这次人脸识别已经结束",
    text: "它用过了，或时间过长。请返回上一步，重新开始。",
    next: "again",
  },
  not_found: { title: "这个平台还没有开通", text: "请换一个平台打开京通。", next: "login" },
  face_pending: {
    title: "还没有收到人脸识别的结果",
    text: "平台暂时没有给出结果。请稍等几秒，再查一次。",
    next: "again",
  },
  vendor_unavailable: {
    title: "外部服务暂时没有回应",
    text: "平台或核验服务没有按时回答，您的信息没有变化。",
    next: "again",
  },
  too_busy: { title: "现在访问的人太多", text: "还没有开始办理。请稍等几秒，再试一次。", next: "again" },
  verification_code_wrong: { title: "验证码不对", text: "请核对收到的六位数字，再输入一次。", next: "again" },
  verification_code_expired: { title: "验证码已失效", text: "请重新获取验证码。", next: "again" },
  sms_of_browser: {
    title: "验证码请求过于频繁",
    text: "这台设备1小时内只能获取5次验证码，请稍后再试。",
  },
  sms_hourly: {
    title: "验证码请求过于频繁",
    text: "请在1小时后再试。请先检查短信是否在垃圾短信中。",
    next: "home",
  },
  sms_daily: {
    title: "验证码请求过于频繁",
    text: "请在24小时后再试。请先检查短信是否在垃圾短信中。",
    next: "home",
  },
  sms_not_offered: { title: "暂不提供短信验证码", text: "本站没有开通短信，请用别的方式继续。", next: "home" },
  request_timeout: { title: "提交的内容没有传完", text: "请检查手机的网络，再试一次。", next: "again" },
  too_large: { title: "提交的内容太大", text: "请核对填写的内容，减少后再试。", next: "again" },
  internal_error: {
    title: "出了一点问题",
    text: "这一步是否办成还不清楚。请看一看电脑屏幕；没有办成，就再试一次。",
    next: "again",
  },
  service_unavailable: { title: "服务暂时不可用", text: "没有任何改变。请稍后再试。", next: "again" },
  lost: { title: "网络没有回应", text: "没有收到身份认证平台的回答。请检查网络，再试一次。", next: "again" },
  picture_unreadable: { title: "这张图片打不开", text: "请换一张 PNG 或 JPEG 图片。", next: "scan" },
  picture_too_large: { title: "图片太大", text: "请换一张 4 MB 以内的图片。", next: "scan" },
};

const REFUSALS = {
  locked: "这个账号已被锁定，现在不能登录。请联系统一认证平台客服。",
  cancelled: "这个账号已经注销，不能登录。",
};

// Nothing is wrong with the account: it is not the one to say yes, or not by this phone.
const NOT_HERE = {
  level: {
    title: "实名身份已经变了",
    text: "电脑上的二维码是按原来的实名身份办理的。请在电脑上重新打开人脸识别认证，再扫新的二维码。",
  },
  other_account: {
    title: "要由另一个账号确认",
    text: "电脑上办理的不是这个账号的事。请用那个账号的京通扫码；二维码若是别人发来的，请不要继续。",
  },
  probation: {
    title: "这部手机暂时不能确认",
    text: "它是刚凭人脸登录的，72 小时内不能更改账号。请改用短信验证码，或用您原来的手机扫码。",
  },
};

const ADVICE = {
  check_again: "请核对后重新校验。",
  ask_issuer: "仍不一致时，请联系发证部门。",
  go_offline: "姓名含生僻字的，建议暂时通过线下办理业务。",
};

/** {title, text, next} for whatever a call threw. */
export function explain(error) {
  const code = error?.code === "invalid_request" && overdue(error) ? "registration_unknown" : error?.code;
  if (code === "rate_limited") {
    const wait = error.retryAfter ? `${span(error.retryAfter)}后` : "稍后";
    return { title: "操作太频繁", text: `为了您的账号安全，请${wait}再试。`, next: "home" };
  }
  if (code === "account_refused" && error.details.reason === "level" && error.details.level in LEVELS) {
    return {
      title: "实名等级不够",
      text: `它要求${LEVELS[error.details.level]}，这个账号还没有达到。请先在个人中心办理认证，再扫一个新的二维码。`,
      next: "home",
    };
  }
  if (code === "account_refused" && error.details.reason in NOT_HERE) {
    return { ...NOT_HERE[error.details.reason], next: "home" };
  }
  if (code === "account_refused") {
    return {
      title: "这个账号现在不能登录",
      text: REFUSALS[error.details.reason] ?? "请联系统一认证平台客服。",
      next: "home",
    };
  }
  if (code === "identity_mismatch") {
    if ((error.details.advice ?? []).includes("renew")) {
      return { title: "证件已过有效期", text: "请换领新证件后再认证。", next: "again" };
    }
    const advice = (error.details.advice ?? ["check_again"]).map((step) => ADVICE[step] ?? "").join("");
    return { title: "姓名与证件号码不一致", text: `权威部门的数据与您填写的不符。${advice}`, next: "again" };
  }
  if (code === "document_unsupported") {
    const others = (error.details.platforms ?? []).map(platformName).filter(Boolean).join("、");
    const where = others ? `请在${others}里打开京通。` : "请携带证件到政务服务大厅办理。";
    return { title: "这里不能核验这种证件", text: `这个平台的人脸识别不支持您的证件。${where}`, next: "login" };
  }
  if (code === "invalid_request") {
    return {
      title: "没有认出登录二维码",
      text: "这个二维码里不是登录信息。请扫描首都之窗等网站登录页上的二维码。",
      next: "scan",
    };
  }
  return (
    SAYINGS[code] ?? {
      title: "没有看懂平台的回答",
      text: "这一步是否办成还不清楚。请看一看电脑屏幕；没有办成，就稍后再试。",
      next: "again",
    }
  );
}

// A registration that is over is refused as a field, like any other value the server does not know.
function overdue(error) {
  return (error.details?.errors ?? []).some(({ field }) => field === "registration");
}

const BUTTON = {
  refused: () => "平台给出的信息已失效。请再点一次。",
  no_number: (platform) => `${platform}里没有您的手机号。请先在${platform}里绑定手机号，再试一次。`,
  not_mainland: () => "只能绑定中国大陆的手机号。",
  not_served: () => "这里不办理这个号段的手机号。演示环境只收虚拟人物的手机号。",
  probation: () =>
    "现在还不能更改手机号：这部手机刚凭人脸登录，72 小时内不能更改账号。急需更改时，请在电脑上登录个人中心，用原手机号的短信验证码办理。",
};

/** Why what the phone button of a platform gave binds no number, or null when it is something else. */
export function buttonFault(error, platform) {
  if (error?.code === "number_unknown") return BUTTON.no_number(platform);
  if (error?.code === "account_refused" && error.details.reason === "probation") return BUTTON.probation();
  if (error?.code !== "invalid_request") return null;
  const faults = (error.details.errors ?? []).filter(({ code }) => code in BUTTON);
  return faults.length > 0 ? BUTTON[faults[0].code](platform) : null;
}

// By field and by how it is wrong; `any` where the server gives a reason this phone does not know.
const FIELDS = {
  name: {
    any: "请填写证件上的姓名，与证件保持一致",
    empty: "请填写证件上的姓名",
    too_long: "姓名太长，请与证件保持一致",
    character: "姓名里有不能用的字符，请与证件保持一致",
    separator: "间隔号的位置不对，请与证件保持一致",
  },
  document_number: {
    any: "证件号码不对，请对照证件逐位核对",
    empty: "请填写证件号码",
    birth_date: "证件号码里的出生日期不对，请逐位核对",
    check_digit: "证件号码有输错的地方，请逐位核对",
    not_served: "这里不办理这个号段的证件。演示环境只收虚拟人物的证件",
  },
  document_type: { any: "请选择证件类型" },
  valid_days: { any: "请选择登录有效期" },
  agreed: { any: "请先阅读并勾选同意" },
};

/** {field: words} for an invalid_request of the form. */
export function fieldFaults(error) {
  const faults = {};
  for (const { field, code } of error?.details?.errors ?? []) {
    const name = String(field).split(/[.[]/)[0];
    if (name in FIELDS) faults[name] = FIELDS[name][code] ?? FIELDS[name].any;
  }
  return faults;
}
