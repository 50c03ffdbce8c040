"""The pages about the people of an artist, invitations, and what an artist says of themselves."""

import io
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import invitations
from appliance.catalog import members
from appliance.catalog.member_models import Invitation
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person


@pytest.fixture
def act(artist: Person) -> Artist:
    """What the artist runs."""
    return site.make_artist(artist)


@pytest.fixture
def owner(app: Flask, artist: Person, act: Artist) -> FlaskClient:
    return site.signed_in(app, artist)


def member(app: Flask, act: Artist, role: MemberRole) -> tuple[Person, FlaskClient]:
    person = site.make_person()
    members.join(act, person.user, role, now=clock.now())
    return person, site.signed_in(app, person)


def send(browser: FlaskClient, path: str, page: str = "/account", **fields: object):  # type: ignore[no-untyped-def]
    token = site.csrf_token(browser.get(page).get_data(as_text=True))
    return browser.post(path, data={"csrf_token": token, **fields})


def invited(browser: FlaskClient, act: Artist, email: str, role: str = "manager") -> str:
    """The path of the link that was shown."""
    answer = send(browser, f"/studio/artists/{act.slug}/invitations", email=email, role=role)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    page = browser.get(answer.location).get_data(as_text=True)
    found = re.search(r"http://localhost(/invitations/[\w-]+)", page)
    assert found is not None
    return found[1]


def told(browser: FlaskClient, path: str) -> str:
    return browser.get(path).get_data(as_text=True)


# --- invitations


def test_an_invitation_is_passed_on_and_accepted(app: Flask, act: Artist, owner: FlaskClient) -> None:
    guest = site.make_person("mira@example.com")
    path = invited(owner, act, "Mira@example.com")
    browser = site.signed_in(app, guest)
    page = told(browser, path)
    assert "Night Ferry" in page
    assert "mira@example.com" in page
    answer = send(browser, f"{path}/accept")
    assert answer.status_code == 303
    assert "you work on Night Ferry now" in told(browser, answer.location)
    assert browser.get(path).status_code == 410
    assert "Mira" in told(owner, f"/studio/artists/{act.slug}/people") or "mira" in told(
        owner, f"/studio/artists/{act.slug}/people"
    )


def test_the_link_is_shown_one_time(act: Artist, owner: FlaskClient) -> None:
    invited(owner, act, "mira@example.com")
    assert "/invitations/" not in re.sub(
        r"/studio/artists/\S+", "", told(owner, f"/studio/artists/{act.slug}/people")
    )


def test_a_person_without_an_account_joins_and_comes_back_to_the_invitation(
    app: Flask, act: Artist, owner: FlaskClient
) -> None:
    path = invited(owner, act, "mira@example.com")
    browser = app.test_client()
    page = told(browser, path)
    assert "Night Ferry" in page
    assert "mira@example.com" not in page
    form = told(browser, f"/register?next={path}")
    sent = {
        "email": "mira@example.com",
        "password": site.PASSWORD,
        "password_confirm": site.PASSWORD,
        "csrf_token": site.csrf_token(form),
    }
    answer = browser.post(f"/register?next={path}", data=sent)
    assert answer.status_code == 302
    assert answer.location == "/register/letter"
    answer = browser.get(browser.get(site.link_to("mira@example.com")).location)
    assert answer.location.endswith(path)
    sent = {"email": "mira@example.com", "password": site.PASSWORD}
    answer = send(browser, answer.location, page=answer.location, **sent)
    assert answer.location.endswith(path)
    assert send(browser, f"{path}/accept").location.endswith("/studio")
    assert len(members.of_artist(act)) == 2


def test_another_account_is_told_whom_it_is_not_for_and_may_not_answer(
    app: Flask, act: Artist, owner: FlaskClient, stranger: Person
) -> None:
    path = invited(owner, act, "mira@example.com")
    browser = site.signed_in(app, stranger)
    page = told(browser, path)
    assert "m…@e…" in page
    assert "mira@" not in page
    for answer in ("accept", "decline"):
        send(browser, f"{path}/{answer}")
    assert len(members.of_artist(act)) == 1
    assert invitations.waiting(Invitation.get(), clock.now())


def test_an_invitation_answers_nobody_who_guesses(
    app: Flask, stranger: Person, act: Artist, owner: FlaskClient
) -> None:
    invited(owner, act, "mira@example.com")
    browser = site.signed_in(app, stranger)
    assert browser.get("/invitations/guessed").status_code == 404
    assert send(browser, "/invitations/guessed/accept").status_code == 404
    known = Invitation.get()
    assert send(browser, f"/studio/invitations/{known.id}/accept").status_code == 404
    assert browser.get(f"/invitations/{known.id}").status_code == 404
    assert browser.get(f"/invitations/{known.digest}").status_code == 404


def test_an_account_that_was_there_before_answers_in_the_studio(
    app: Flask, act: Artist, owner: FlaskClient
) -> None:
    guest = site.make_person("mira@example.com")
    invited(owner, act, "mira@example.com")
    browser = site.signed_in(app, guest)
    assert "You are invited to Night Ferry" in told(browser, "/studio")
    answer = send(browser, f"/studio/invitations/{Invitation.get().id}/decline")
    assert "You said no." in told(browser, answer.location)
    assert "You are invited" not in told(browser, "/studio")


def test_who_took_the_address_after_the_invitation_needs_the_link(
    app: Flask, act: Artist, owner: FlaskClient
) -> None:
    invited(owner, act, "mira@example.com")
    impostor = site.make_person("mira@example.com")
    browser = site.signed_in(app, impostor)
    # Nobody gets in any more without confirming; who got in before that still may be there.
    User.update(confirmed_at=None).where(User.id == impostor.user.id).execute()
    assert "Open the link you were given" in told(browser, "/studio")
    send(browser, f"/studio/invitations/{Invitation.get().id}/accept")
    assert len(members.of_artist(act)) == 1


def test_a_revoked_invitation_opens_nothing(app: Flask, act: Artist, owner: FlaskClient) -> None:
    guest = site.make_person("mira@example.com")
    path = invited(owner, act, guest.user.email)
    people = f"/studio/artists/{act.slug}/people"
    assert "mira@example.com" in told(owner, people)
    gone = send(owner, f"/studio/artists/{act.slug}/invitations/{Invitation.get().id}/revoke")
    assert gone.status_code == 303
    browser = site.signed_in(app, guest)
    assert browser.get(path).status_code == 410
    send(browser, f"{path}/accept")
    assert len(members.of_artist(act)) == 1


def test_a_wrong_address_comes_back_in_its_form(act: Artist, owner: FlaskClient) -> None:
    answer = send(owner, f"/studio/artists/{act.slug}/invitations", email="nobody", role="manager")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "This is not an e-mail address." in page
    assert 'value="nobody"' in page


# --- members


def test_the_owner_changes_roles_and_takes_people_off(app: Flask, act: Artist, owner: FlaskClient) -> None:
    person, browser = member(app, act, MemberRole.CONTRIBUTOR)
    here = f"/studio/artists/{act.slug}"
    assert browser.get(here).status_code == 403
    assert send(owner, f"{here}/people/{person.user.id}", role="manager").status_code == 303
    assert browser.get(here).status_code == 200
    assert send(owner, f"{here}/people/{person.user.id}/remove").status_code == 303
    assert browser.get(here).status_code == 403
    assert browser.get(f"{here}/people").status_code == 403


def test_addresses_are_for_the_owner_alone(
    app: Flask, act: Artist, artist: Person, owner: FlaskClient
) -> None:
    person, browser = member(app, act, MemberRole.MANAGER)
    here = f"/studio/artists/{act.slug}/people"
    assert person.user.email in told(owner, here)
    page = told(browser, here)
    assert artist.user.email not in page
    assert person.user.email in page


def test_a_member_leaves_and_the_owner_cannot(app: Flask, act: Artist, owner: FlaskClient) -> None:
    _, browser = member(app, act, MemberRole.CONTRIBUTOR)
    here = f"/studio/artists/{act.slug}"
    assert "hand it over" in told(owner, send(owner, f"{here}/leave").location)
    assert send(browser, f"{here}/leave").location.endswith("/studio")
    assert len(members.of_artist(act)) == 1


def test_an_artist_is_handed_over_with_a_tick(
    app: Flask, act: Artist, artist: Person, owner: FlaskClient
) -> None:
    person, browser = member(app, act, MemberRole.MANAGER)
    here = f"/studio/artists/{act.slug}/transfer"
    refused = send(owner, here, person=person.user.id)
    assert refused.status_code == 422
    assert "Tick the box" in refused.get_data(as_text=True)
    assert send(owner, here, person=person.user.id, sure="on").status_code == 303
    assert artists.find(act.slug).owner_id == person.user.id
    assert send(owner, here, person=artist.user.id, sure="on").status_code == 403
    assert "Invite somebody" in told(browser, f"/studio/artists/{act.slug}/people")


def test_the_people_of_an_artist_take_as_many_queries_for_two_as_for_twenty(
    app: Flask, act: Artist, owner: FlaskClient
) -> None:
    here = f"/studio/artists/{act.slug}/people"
    seen = []
    for more in (2, 20):
        for _ in range(more):
            members.join(act, site.make_person().user, MemberRole.CONTRIBUTOR, now=clock.now())
        seen.append(least(lambda: owner.get(here)))
    assert seen[0] == seen[1]


# --- the page of the artist


def fields(browser: FlaskClient, act: Artist, **values: object) -> dict[str, object]:
    page = told(browser, f"/studio/artists/{act.slug}")
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    return {"version": version[1], "name": act.name, "slug": act.slug, "act": "save", **values}


def test_an_artist_writes_their_page(act: Artist, owner: FlaskClient) -> None:
    sent = fields(
        owner,
        act,
        location="Sassnitz",
        about="We play *slowly*.",
        own_accent="on",
        accent="#aa3311",
        link_url=["example.org", ""],
        link_label=["Shop", ""],
    )
    here = f"/studio/artists/{act.slug}"
    assert send(owner, here, here, **sent).status_code == 303
    page = told(owner, here)
    for written in ("Sassnitz", "We play *slowly*.", "https://example.org", "Shop", "#aa3311"):
        assert written in page


def test_rows_of_links_come_and_go_without_a_script(act: Artist, owner: FlaskClient) -> None:
    here = f"/studio/artists/{act.slug}"
    sent = fields(owner, act, link_url=["example.org"], link_label=["Shop"], location="Unsaved")
    more = send(owner, here, here, **{**sent, "act": "add_link"})
    assert more.status_code == 422
    page = more.get_data(as_text=True)
    assert page.count('name="link_url"') == 2
    assert "Unsaved" in page
    less = send(owner, here, here, **{**sent, "act": "remove_link:0"})
    assert "example.org" not in less.get_data(as_text=True)
    assert artists.find(act.slug).location == ""


def test_a_text_is_looked_at_before_it_is_saved(act: Artist, owner: FlaskClient) -> None:
    here = f"/studio/artists/{act.slug}"
    sent = fields(owner, act, about="Some *words* <script>alert(1)</script>")
    shown = send(owner, here, here, **{**sent, "act": "preview"}).get_data(as_text=True)
    assert "<em>words</em>" in shown
    assert "<script>alert" not in shown
    piece = send(owner, "/studio/preview", text="[x](javascript:alert(1)) **b**").get_data(as_text=True)
    assert "<strong>b</strong>" in piece
    assert "href" not in piece


def test_a_link_that_would_run_a_script_comes_back_with_its_form(act: Artist, owner: FlaskClient) -> None:
    here = f"/studio/artists/{act.slug}"
    sent = fields(owner, act, link_url=["javascript:alert(1)"], link_label=["x"], location="Kept")
    answer = send(owner, here, here, **sent)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "is no link" in page
    assert "Kept" in page
    assert 'href="javascript:' not in page


def test_the_second_of_two_editors_sees_both_and_loses_nothing(act: Artist, owner: FlaskClient) -> None:
    here = f"/studio/artists/{act.slug}"
    first, second = fields(owner, act, location="Sassnitz"), fields(owner, act, location="Trelleborg")
    assert send(owner, here, here, **first).status_code == 303
    answer = send(owner, here, here, **second)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "Sassnitz" in page
    assert 'value="Trelleborg"' in page
    again = re.search(r'name="version" value="(\d+)"', page)
    assert again is not None
    assert send(owner, here, here, **{**second, "version": again[1]}).status_code == 303
    assert artists.find(act.slug).location == "Trelleborg"


def test_a_former_address_leads_to_the_page(
    act: Artist, artist: Person, owner: FlaskClient, client: FlaskClient
) -> None:
    site.make_release(artist, artist=act, published=True)
    here = f"/studio/artists/{act.slug}"
    answer = send(owner, here, here, **fields(owner, act, slug="nf"))
    assert answer.location.endswith("/studio/artists/nf")
    for path, there in {
        "/@night-ferry": "/@nf",
        "/@night-ferry/harbour-lights?t=3": "/@nf/harbour-lights?t=3",
        "/api/v1/artists/night-ferry": "/api/v1/artists/nf",
    }.items():
        moved = client.get(path)
        assert (moved.status_code, moved.location) == (301, there), path
        assert "no-cache" in moved.headers["Cache-Control"]
    assert client.get("/@nf").status_code == 200
    assert client.get("/@somebody-else").status_code == 404


def test_an_artist_sets_a_picture_and_takes_it_away(act: Artist, owner: FlaskClient, tmp_path: Path) -> None:
    here = f"/studio/artists/{act.slug}"
    data = site.picture_file(tmp_path).read_bytes()
    answer = send(owner, f"{here}/picture", file=(io.BytesIO(data), "us.png"), x="0", y="0", size="1")
    assert "The picture is set." in told(owner, answer.location)
    assert artists.find(act.slug).picture_key
    send(owner, f"{here}/picture/remove")
    assert artists.find(act.slug).picture_key == ""
    for sent in ({}, {"file": (io.BytesIO(b"no picture"), "us.png")}):
        assert 'class="notice problem"' in told(owner, send(owner, f"{here}/picture", **sent).location)


def test_an_empty_artist_is_removed_and_one_with_a_release_stays(
    act: Artist, artist: Person, owner: FlaskClient, appliance: Appliance
) -> None:
    release = site.make_release(artist, artist=act)
    here = f"/studio/artists/{act.slug}/remove"
    assert "without releases" in told(owner, send(owner, here).location)
    release.delete_instance()
    assert send(owner, here).location.endswith("/studio")
    assert Artist.select().count() == 0


def test_a_name_in_every_script_stands_on_its_pages(artist: Person, app: Flask) -> None:
    act = site.make_artist(artist, name="مركب <b>الليل</b> 🚢 " + "x" * 150)
    browser = site.signed_in(app, artist)
    for path in (f"/studio/artists/{act.slug}", f"/studio/artists/{act.slug}/people"):
        page = told(browser, path)
        assert "مركب" in page
        assert "<b>الليل" not in page


# --- by the interface


def test_an_artist_is_changed_by_the_interface(act: Artist, artist: Person, client: FlaskClient) -> None:
    here = f"/api/v1/artists/{act.slug}"
    shown = client.get(here)
    sent = {"location": "Sassnitz", "links": [{"url": "example.org"}], "accent": "#aa3311", "slug": "nf"}
    match = {"If-Match": shown.headers["ETag"], **artist.headers}
    changed = client.patch(here, json=sent, headers=match).get_json()
    assert changed["links"] == [{"url": "https://example.org", "label": "example.org"}]
    assert (changed["location"], changed["accent"], changed["slug"]) == ("Sassnitz", "#aa3311", "nf")
    late = client.patch("/api/v1/artists/nf", json={"location": "Trelleborg"}, headers=match)
    assert late.status_code == 412
    assert client.patch("/api/v1/artists/nf", json={"owner": "me"}, headers=artist.headers).status_code == 422
    assert client.patch(here, json={"location": "x"}, headers=artist.headers).status_code == 404


def test_the_interface_lists_the_people_of_an_artist_for_their_owner(
    act: Artist, artist: Person, stranger: Person, client: FlaskClient
) -> None:
    here = f"/api/v1/artists/{act.slug}/members"
    members.join(act, stranger.user, MemberRole.MANAGER, now=clock.now())
    rows = client.get(here, headers=artist.headers).get_json()["items"]
    assert [row["role"] for row in rows] == ["owner", "manager"]
    assert client.get(here, headers=stranger.headers).status_code == 403
    assert client.get(here).status_code == 401


def test_an_artist_gets_a_picture_and_goes_by_the_interface(
    act: Artist, artist: Person, stranger: Person, client: FlaskClient, tmp_path: Path
) -> None:
    here, data = f"/api/v1/artists/{act.slug}", site.picture_file(tmp_path).read_bytes()
    assert client.put(f"{here}/picture", data=data, headers=stranger.headers).status_code == 403
    shown = client.put(f"{here}/picture", data=data, headers=artist.headers).get_json()
    assert set(shown["picture"]) == {"1200", "600", "300", "96"}
    assert client.delete(here, headers=stranger.headers).status_code == 403
    assert client.delete(here, headers=artist.headers).status_code == 204
    assert client.get(here).status_code == 404
