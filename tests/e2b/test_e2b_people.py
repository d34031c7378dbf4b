"""Numbers of users and groups: those of a sandbox, and those that are shown of them."""

from __future__ import annotations

from chuk_fsspec.backends.e2b.people import people_of
from chuk_fsspec.contract.attributes import OWN_GID, OWN_UID

TOLD = """\
71000
71001
root:x:0:0:root:/root:/bin/bash
user:x:71000:71001::/home/user:/bin/bash
www-data:x:71033:71033:www-data:/var/www:/usr/sbin/nologin
root:x:0:
user:x:71001:
staff:x:71050:user,www-data
"""


def test_the_user_of_the_sandbox_is_shown_as_who_asks() -> None:
    people = people_of(TOLD)
    assert (people.shown_uid("user"), people.shown_gid("user")) == (OWN_UID, OWN_GID)
    assert people.owner(OWN_UID, OWN_GID) == "71000:71001"


def test_others_are_who_they_are() -> None:
    people = people_of(TOLD)
    assert (people.shown_uid("www-data"), people.shown_gid("staff")) == (71033, 71050)
    assert (people.shown_uid("71234"), people.shown_gid("71234")) == (71234, 71234)  # who has no name
    assert people.shown_uid("made later") is None
    assert people.owner(71033, None) == "71033"
    assert people.owner(None, 71050) == ":71050"
    assert people.owner(None, None) == ""
