"""The outside world on the wire: a separate program for the demo and for tests, never for production.

It plays the services the identity server depends on, each in its own wire format with its own quirks, and the people
who use them. The server talks to it with the very clients it talks to the real services with. It shares no code with
them, nor with anything else of the server: both would agree on the same mistake. Check digits, signatures and clocks
are therefore written a second time here, against the vendors' published vectors. Beside it, on a host of its own, is a
site that people log in to by way of the server (:mod:`bjidp.sandbox.portal`).

=================== ==================================================================================================
Services            What is there
=================== ==================================================================================================
``/wechat``         jscode2session, token, stable_token, face/identify getverifyid and queryverifyinfo,
                    getuserphonenumber; for websites sns/oauth2/access_token, sns/userinfo
``/alipay``         gateway.do: alipay.system.oauth.token, alipay.user.certify.open initialize, certify, query; for
                    websites alipay.user.info.share
``/baidu``          jscode2sessionkey (and its older address), oauth token, faceprint verifyToken, idcard/submit,
                    result/detail, result/getall, the page /face/print/; for websites passport/users/getInfo
``/national``       a stand-in for 国家政务服务平台: getAccessToken, getUserInfo, doUserRegisterByCertInfo
``/pages``          where people let a website know who they are, whatever the calls of that service do: WeChat's
                    connect/qrconnect and connect/oauth2/authorize, Alipay's publicAppAuthorize.htm, Baidu's
                    oauth/2.0/authorize, the national platform's goUserLogin
``/authority``      v1/check: does this name belong to this document number?
``/bank``           v1/verify: do person, card and reserved phone belong together?
``/register``       v1/check: does this organisation exist, and who is its 法定代表人?
``/chuanglan``      msg/v1/send/json, msg/balance/json, msg/pull/report, msg/sms/v2/tpl/send
``/control``        people, organisations, login-code, phone-button, face, inbox, captcha, faults, charges: what people
                    and accidents do
``/phone``, ``/``   the phone simulator (:mod:`bjidp.sandbox.phone`)
``/health``         alive, a sandbox, and how each service does
=================== ==================================================================================================

=============================== ======================================================================================
Story of a person               What it does
=============================== ======================================================================================
``ordinary``                    everything fits
``mismatch``                    the face passes; the authority has another name under the number
``unknown``                     the face passes; the authority has no such number
``expired``                     the document's last day is past: ``expired``
``document_withdrawn``          the document was reported lost: ``refused``
``face_fails``                  a willing person, whose face is not the one in the picture
``bank_phone_differs``          the bank has another phone number for the cards: ``-1``
``bank_card_lost``              the cards were reported lost: ``-13``
``bank_card_expired``           the cards' last day is past: ``-14``
``rare_character``              a character beyond the Basic Multilingual Plane in the name
``compatibility_character``     a character that Unicode normalisation would change
``dotted_name``                 a name with the dot U+00B7
``long_name``                   more than 25 characters
``latin_name``                  a permanent resident with a name in Latin letters
``old_form_card``               a permanent residence card of the form before December 2023
``minor``                       a child of twelve
``high_risk``                   WeChat intercepts the login: 40226
=============================== ======================================================================================

=============================== ======================================================================================
Story of an organisation        What it does
=============================== ======================================================================================
``ordinary``                    everything fits
``name_differs``                the register has another name under the code
``representative_differs``      the register has another person as 法定代表人
``unknown``                     the register has no such code
``revoked``, ``deregistered``   its licence was taken from it, or it has ended: ``refused``
``term_over``                   its licence's last day is past: ``expired``
=============================== ======================================================================================

Numbers come from ranges that belong to nobody (:mod:`bjidp.sandbox.people.numbers`, and
:mod:`bjidp.sandbox.business_register.codes`); the server accepts them only where its configuration says sandbox, and
production refuses exactly these. :func:`bjidp.sandbox.app.build` puts it together.
"""
