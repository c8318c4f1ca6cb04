"""Whether enough of the right people are there."""

from panel.panels.rules import Attendee, PanelSettings, quorum

SETTINGS = PanelSettings()
HEALTH, SCHOOL, CARE = Attendee("health"), Attendee("school"), Attendee("social_care")


def missing(*attending: Attendee, roles: tuple[str, ...] = ()) -> tuple[str, ...]:
    return quorum(attending, SETTINGS.quorum_minimum, SETTINGS.quorum_kinds, roles).missing


def test_four_people_with_health_education_and_social_care() -> None:
    attending = (HEALTH, SCHOOL, CARE, Attendee("voluntary"))
    assert missing(*attending) == ()
    assert quorum(attending, 4, SETTINGS.quorum_kinds).met


def test_a_practice_speaks_for_health() -> None:
    assert missing(Attendee("gp"), SCHOOL, CARE, CARE) == ()


def test_the_council_alone_does_not_speak_for_social_care() -> None:
    assert missing(HEALTH, SCHOOL, Attendee("council"), Attendee("council")) == (
        "Nobody is here from social care.",
    )


def test_too_few_people_although_every_kind_is_there() -> None:
    assert missing(HEALTH, SCHOOL, CARE) == ("3 of at least 4 people are here.",)


def test_enough_people_and_a_role_missing() -> None:
    everyone = (HEALTH, SCHOOL, CARE, CARE)
    assert missing(*everyone, roles=("parents_representative",)) == (
        "The parents representative is not here.",
    )
    with_role = Attendee("voluntary", frozenset({"parents_representative"}))
    assert missing(*everyone, with_role, roles=("parents_representative",)) == ()


def test_nobody_is_there() -> None:
    assert len(missing()) == 4
