"""The device grant over HTTP: codes, a phone that confirms, and the questions in between (RP-3)."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.support.browser import Screen
from tests.support.forms import forms, send
from tests.support.phone import Phone
from tests.support.program import Program
from tests.web.device_site import KIOSK, PKCE, Devices, error, two_clients

pytestmark = pytest.mark.req("RP-3")


@pytest.fixture
async def devices(program: Program) -> Devices:
    return await two_clients(program)


async def scanned(phone: Phone, codes: dict[str, Any]) -> dict[str, Any]:
    answer = await phone.scan(codes["verification_uri_complete"])
    assert answer.status == 200, answer.text
    return answer.json()


async def confirmed(phone: Phone, codes: dict[str, Any]) -> dict[str, Any]:
    shown = await scanned(phone, codes)
    assert (await phone.confirm(shown)).status == 200
    return shown


async def test_a_device_is_given_codes_as_rfc_8628_has_them(program: Program, devices: Devices) -> None:
    answer = await devices.ask()
    assert (answer.status, answer.header("Cache-Control")) == (200, "no-store")
    codes = answer.json()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert codes["verification_uri"] == f"{program.url}/device"
    assert re.fullmatch(re.escape(f"{program.url}/q/") + r"[\w-]{22}", codes["verification_uri_complete"])
    assert (codes["expires_in"], codes["interval"]) == (300, 5)
    assert set(codes) == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip


async def test_the_metadata_names_the_endpoint_and_the_grant(program: Program, devices: Devices) -> None:
    found = (await (await program.browser()).get("/.well-known/openid-configuration")).json()
    assert found["device_authorization_endpoint"] == f"{program.url}/oauth/device"
    assert "urn:ietf:params:oauth:grant-type:device_code" in found["grant_types_supported"]


async def test_a_phone_compares_the_code_sees_what_is_read_and_confirms(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes = await devices.asked(scope="openid profile offline_access")
    assert error(await devices.poll(codes)) == "authorization_pending"
    shown = await scanned(phone, codes)
    assert (shown["purpose"], shown["steps"]) == ("device", ["compare", "confirm"])
    assert shown["user_code"] == codes["user_code"]
    assert shown["request"]["action"] == "device"
    assert shown["request"]["client"] == {"name": "政务大厅自助机", "domain": "kiosk.example"}
    assert shown["request"]["reads"] == ["openid", "profile", "offline_access"]
    assert shown["request"]["session_lifetime"] == 30 * 24 * 3600
    assert (await phone.confirm(shown)).json() == {"status": "approved", "code": None}
    given = (await devices.poll(codes)).json()
    assert given["scope"] == "openid profile offline_access"
    found = (await devices.userinfo(given["access_token"])).json()
    assert "preferred_username" in found
    again = await devices.post(
        "/oauth/token", {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}, "kiosk"
    )
    assert again.status == 200


async def test_a_terminal_that_keeps_no_secret_proves_by_pkce(program: Program, devices: Devices) -> None:
    codes = await devices.asked("terminal")
    await confirmed(await program.phone(), codes)
    assert (await devices.poll(codes, "terminal")).json()["token_type"] == "Bearer"


async def test_a_login_of_a_device_says_how_somebody_proved_who_they_are(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    await confirmed(await program.phone(), codes)
    given = (await devices.poll(codes)).json()
    told = (await devices.post("/oauth/introspect", {"token": given["access_token"]}, "kiosk")).json()
    assert (told["active"], told["acr"], told["amr"]) == (True, "L3", ["qr"])


async def test_what_somebody_gave_a_device_stands_among_what_they_agreed_to(program: Program, devices: Devices) -> None:
    codes = await devices.asked(scope="openid profile offline_access")
    await confirmed(await program.phone(), codes)
    await devices.poll(codes)
    assert program.sql("SELECT client, scopes FROM consent") == [("kiosk", "openid profile")]


async def test_who_says_no_is_the_end_of_it(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    await phone.reject(await scanned(phone, codes))
    assert error(await devices.poll(codes)) == "access_denied"
    assert error(await devices.poll(codes)) == "access_denied"
    assert program.sql("SELECT count(*) FROM oidc_grant") == [(0,)]


async def test_nobody_in_five_minutes_is_the_end_of_it_too(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    await program.advance(299)
    assert error(await devices.poll(codes)) == "authorization_pending"
    await program.advance(1)
    assert error(await devices.poll(codes)) == "expired_token"
    phone = await program.phone()
    assert (await phone.scan(codes["verification_uri_complete"])).code == "ticket_expired"


async def test_who_asks_too_often_is_told_to_slow_down_by_five_seconds_each_time(
    program: Program, devices: Devices
) -> None:
    codes, other = await devices.asked(), await devices.asked()
    answers = []
    for pause in (0, 5, 1, 5, 14, 15, 15):
        await program.advance(pause)
        answers.append(error(await devices.poll(codes)))
    pending, slow = "authorization_pending", "slow_down"
    assert answers == [pending, pending, slow, slow, slow, slow, slow]
    assert error(await devices.poll(other)) == pending, "each device code has a pace of its own"


async def test_an_answer_is_there_however_often_a_device_has_asked(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    await devices.poll(codes)
    assert error(await devices.poll(codes)) == "slow_down"
    await confirmed(phone, codes)
    assert (await devices.poll(codes)).status == 200


@pytest.mark.attack("Q4")
async def test_of_twenty_questions_at_once_one_is_given_tokens(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    await confirmed(await program.phone(), codes)
    answers = await asyncio.gather(*(devices.poll(codes) for _ in range(20)))
    assert sorted(error(answer) for answer in answers) == [""] + ["invalid_grant"] * 19
    assert program.sql("SELECT count(*) FROM oidc_grant") == [(1,)]
    [given] = [answer.json() for answer in answers if answer.status == 200]
    assert (await devices.userinfo(given["access_token"])).status == 200, "the others have not ended what it was given"


@pytest.mark.attack("Q19")
async def test_a_device_code_is_good_for_the_client_that_asked_alone(program: Program, devices: Devices) -> None:
    await devices.register("richer", KIOSK | {"scope": "openid profile phone identity"})
    codes = await devices.asked()
    assert error(await devices.poll(codes, "richer")) == "invalid_grant"
    await confirmed(await program.phone(), codes)
    assert error(await devices.poll(codes, "richer")) == "invalid_grant"
    assert error(await devices.poll(codes, "terminal")) == "invalid_grant"
    assert program.sql("SELECT count(*) FROM oidc_grant") == [(0,)]
    assert (await devices.poll(codes)).status == 200, "nothing was consumed"


@pytest.mark.attack("Q19")
async def test_nobody_is_given_more_than_was_asked_for_and_shown(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    await confirmed(await program.phone(), codes)
    assert error(await devices.poll(codes, scope="openid profile phone")) == "invalid_scope"
    given = (await devices.poll(codes)).json()
    assert given["scope"] == "openid profile"
    assert "phone_number" not in (await devices.userinfo(given["access_token"])).json()


@pytest.mark.attack("Q20", "T6")
@pytest.mark.parametrize("verifier", ["", "w" * 43, PKCE["code_challenge"], "v" * 42], ids=len)
async def test_a_device_code_that_got_out_is_no_use_without_the_verifier(
    program: Program, devices: Devices, verifier: str
) -> None:
    codes = await devices.asked("terminal")
    await confirmed(await program.phone(), codes)
    assert error(await devices.poll(codes, "terminal", code_verifier=verifier)) == "invalid_grant"
    assert (await devices.poll(codes, "terminal")).status == 200, "nothing was consumed"


@pytest.mark.attack("Q20", "T6")
@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": "x"},
    ],
)
async def test_who_keeps_no_secret_asks_with_a_challenge_by_s256(devices: Devices, change: dict[str, str]) -> None:
    assert error(await devices.ask("terminal", **change)) == "invalid_request"


@pytest.mark.attack("Q20")
async def test_a_client_with_a_secret_is_held_to_the_challenge_it_sent_and_to_none_it_did_not(
    program: Program, devices: Devices
) -> None:
    phone = await program.phone()
    plain, proved = await devices.asked(), await devices.asked(**PKCE)
    await confirmed(phone, plain)
    await confirmed(phone, proved)
    assert error(await devices.poll(plain, code_verifier="v" * 43)) == "invalid_grant"
    assert error(await devices.poll(proved)) == "invalid_grant"
    assert (await devices.poll(plain)).status == 200
    assert (await devices.poll(proved, code_verifier="v" * 43)).status == 200


async def test_only_clients_that_are_registered_for_it_ask(devices: Devices) -> None:
    site = {
        "redirect_uris": ["https://site.example/"],
        "grant_types": ["authorization_code"],
        "scope": "openid profile phone",
    }
    await devices.register("site", KIOSK | site)
    assert error(await devices.ask("site")) == "unauthorized_client"
    assert error(await devices.poll({"device_code": "x"}, "site")) == "unauthorized_client"
    assert error(await devices.ask("nobody")) == "invalid_client"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "openid identity"}, "invalid_scope"),
        ({"acr_values": "L9"}, "unmet_authentication_requirements"),
        ({"qr": "still"}, "invalid_request"),
        ({"scope": "openid 中"}, "invalid_request"),
        ({"scope": "openid " * 1_000}, "invalid_request"),
    ],
)
async def test_what_is_wrong_with_a_request_is_told(devices: Devices, fields: dict[str, str], refused: str) -> None:
    answer = await devices.ask(**fields)
    assert (answer.status, error(answer)) == (400, refused)


async def test_what_is_no_device_code_is_refused(devices: Devices) -> None:
    for code in ("x", "中", "x" * 3000, "A" * 43):
        assert error(await devices.poll({"device_code": code})) in {"invalid_grant", "invalid_request"}
    assert error(await devices.poll({"device_code": ""})) == "invalid_request"


@pytest.mark.attack("Q21")
async def test_policy_is_asked_when_a_phone_scans_when_it_confirms_and_when_the_device_is_given_tokens(
    program: Program, devices: Devices
) -> None:
    await devices.register("bank", KIOSK | {"default_acr_values": ["L3"]})
    phone = await program.phone()
    first, second, third = [await devices.asked("bank") for _ in range(3)]
    shown = await scanned(phone, second)
    await confirmed(phone, third)
    program.sql("UPDATE identity SET evidence = 'name_and_number', version = version + 1")
    refused = await phone.scan(first["verification_uri_complete"])
    assert (refused.verdict, refused.json()["reason"]) == ((403, "account_refused"), "level")
    assert (await phone.confirm(shown)).json()["reason"] == "level"
    assert error(await devices.poll(third, "bank")) == "access_denied"
    program.sql("UPDATE identity SET evidence = 'face', version = version + 1")
    assert (await phone.scan(first["verification_uri_complete"])).status == 200
    assert error(await devices.poll(third, "bank")) == "access_denied", "what policy ended stays ended"


@pytest.mark.attack("Q21", "T3")
async def test_an_account_that_was_locked_since_gives_a_device_nothing(program: Program, devices: Devices) -> None:
    codes, before = await devices.asked(), await devices.asked()
    phone = await program.phone()
    await confirmed(phone, before)
    given = (await devices.poll(before)).json()
    await confirmed(phone, codes)
    program.sql("UPDATE account SET status = 'locked'")
    assert error(await devices.poll(codes)) == "access_denied"
    assert (await devices.userinfo(given["access_token"])).status == 401


@pytest.mark.attack("P7", "T3")
async def test_a_phone_that_logs_out_ends_what_devices_were_given_and_what_waits(
    program: Program, devices: Devices
) -> None:
    codes, waiting = await devices.asked(), await devices.asked()
    phone = await program.phone()
    await confirmed(phone, codes)
    given = (await devices.poll(codes)).json()
    await confirmed(phone, waiting)
    assert (await phone.caller.send("DELETE", "/mp/v1/session", headers=phone.bearer)).status == 204
    assert error(await devices.poll(waiting)) == "access_denied"
    assert (await devices.userinfo(given["access_token"])).status == 401


@pytest.mark.attack("P7")
@pytest.mark.parametrize("later", [0, 23 * 3600])
async def test_who_confirmed_ends_it_within_a_day(program: Program, devices: Devices, later: int) -> None:
    phone = await program.phone()
    codes = await devices.asked(scope="openid offline_access")
    shown = await confirmed(phone, codes)
    given = (await devices.poll(codes)).json()
    stranger = await program.phone("li-siyuan")
    assert (await stranger.undo(shown["ticket"])).code == "ticket_unknown"
    program.clock.advance(later)
    phone = await program.phone() if later else phone
    assert (await devices.post("/oauth/introspect", {"token": given["refresh_token"]}, "kiosk")).json()["active"]
    assert (await phone.undo(shown["ticket"])).json() == {"status": "ended"}
    assert not (await devices.post("/oauth/introspect", {"token": given["refresh_token"]}, "kiosk")).json()["active"]


@pytest.mark.attack("P7")
async def test_what_was_taken_back_before_the_device_asked_is_refused(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    shown = await confirmed(phone, codes)
    assert (await phone.undo(shown["ticket"])).status == 200
    assert error(await devices.poll(codes)) == "access_denied"


@pytest.mark.attack("P2")
@pytest.mark.parametrize("scene", [1012, 1048, 1001, 1])
async def test_a_device_ticket_is_scanned_by_a_live_camera_alone(
    program: Program, devices: Devices, scene: int
) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    assert (await phone.scan(codes["verification_uri_complete"], scene)).code == "scene_refused"


@pytest.mark.attack("Q18")
async def test_a_ticket_shown_without_frames_is_known_as_a_device_ticket_alone(
    program: Program, devices: Devices
) -> None:
    phone = await program.phone()
    _, _, screen = await program.opened()
    assert (await phone.scan(f"{program.url}/q/{screen.ticket}")).code == "ticket_unknown"
    codes = await devices.asked()
    ticket = codes["verification_uri_complete"].rpartition("/")[2]
    assert (await phone.scan(f"{program.url}/q/{ticket}.000.{'A' * 12}")).code == "ticket_unknown"


@pytest.mark.attack("Q16", "Q18")
async def test_a_device_that_draws_frames_is_scanned_by_a_fresh_frame_and_nothing_else(
    program: Program, devices: Devices
) -> None:
    phone = await program.phone()
    codes = await devices.asked("terminal", qr="frames")
    assert (codes["qr"]["step"], codes["qr"]["elapsed"]) == (2.0, 0.0)
    text = codes["verification_uri_complete"]
    assert (await phone.scan(text)).code == "ticket_unknown"
    prefix, _, ticket = text.rpartition("/")
    screen = Screen({"type": "ticket", "ticket": ticket, "prefix": f"{prefix}/", "purpose": "device"} | codes["qr"])
    await program.advance(7)
    assert (await phone.scan(screen.frame(0))).code == "frame_stale"
    assert (await phone.scan(screen.frame(9))).code == "frame_stale"
    assert (await phone.scan(screen.frame(3))).json()["user_code"] == codes["user_code"]


@pytest.mark.attack("Q5")
async def test_the_first_to_scan_holds_a_device_ticket(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    first, second = await program.phone(), await program.phone("li-siyuan")
    await scanned(first, codes)
    assert (await second.scan(codes["verification_uri_complete"])).code == "ticket_taken"


@pytest.mark.attack("B4", "Q21")
async def test_more_than_the_client_is_given_by_itself_asks_for_the_face_of_who_scanned(
    program: Program, devices: Devices
) -> None:
    await devices.register("bank", KIOSK | {"default_acr_values": ["L2"]})
    phone = await program.phone()
    codes = await devices.asked("bank", acr_values="L3")
    shown = await scanned(phone, codes)
    assert shown["steps"] == ["compare", "face", "confirm"]
    assert (await phone.confirm(shown)).code == "face_pending"
    await phone.shows_face(shown)
    assert (await phone.confirm(shown)).status == 200
    given = (await devices.poll(codes, "bank")).json()
    told = (await devices.post("/oauth/introspect", {"token": given["access_token"]}, "bank")).json()
    assert (told["acr"], told["amr"]) == ("L3", ["qr", "face"])


async def test_one_address_asks_so_often_for_clients_without_a_secret(devices: Devices) -> None:
    answers = [(await devices.ask("terminal")).status for _ in range(61)]
    assert answers == [200] * 60 + [429]
    assert (await devices.ask()).status == 200


@pytest.mark.attack("Q22")
async def test_nothing_of_the_codes_is_kept_as_it_is(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    stores = program.rooms.stores
    assert await stores.tickets.read(codes["device_code"]) is None
    for name in (codes["user_code"], codes["user_code"].replace("-", "")):
        assert await stores.user_codes.get(name) is None


@pytest.mark.req("SES-2", "SES-3")
@pytest.mark.attack("P7", "P1")
async def test_a_login_of_a_device_is_a_reminder_and_not_me_ends_it(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes, other = await devices.asked(scope="openid offline_access"), await devices.asked()
    await confirmed(phone, codes)
    given = (await devices.poll(codes)).json()
    await confirmed(phone, other)
    kept = (await devices.poll(other)).json()
    browser = await program.signed_in(phone)
    stranger = await program.signed_in(await program.phone("li-siyuan"))
    centre = await browser.get("/centre")
    assert centre.text.count("登录了设备：政务大厅自助机") == 4, "seen, and said to whoever listens"
    assert "登录设备" in (await browser.get("/centre/log")).text
    [*_, denial] = [form for form in forms(centre) if form.action == "/not-me" and "session" in form.values]
    theirs = next(form for form in forms(await stranger.get("/centre")) if form.action == "/not-me")
    await send(stranger, theirs.typed(session=denial.values["session"]))
    assert (await devices.userinfo(given["access_token"])).status == 200
    answer = await send(browser, denial)
    assert (answer.status, "不是我" in answer.text or "已" in answer.text) == (200, True)
    assert (await devices.userinfo(given["access_token"])).status == 401
    assert (await devices.userinfo(kept["access_token"])).status == 200
