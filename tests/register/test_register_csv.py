"""The files an authority starts from: register, people, caseload."""

from datetime import date
from io import BytesIO
from pathlib import PurePosixPath

import pytest

from panel.records.csv_rows import RowProblem
from panel.register.csv_rows import (
    CASELOAD,
    PEOPLE,
    REGISTER,
    CaseloadRow,
    PersonRow,
    RegisterRow,
    read_caseload,
    read_people,
    read_register,
)
from panel.register.models import SEXES

TODAY = date(2026, 11, 21)


def file(template: str, *rows: dict[str, str]) -> BytesIO:
    header = template.strip().split(",")
    for row in rows:
        assert set(row) <= set(header)
    lines = [",".join(header), *(",".join(row.get(one, "") for one in header) for row in rows)]
    return BytesIO("\r\n".join(lines).encode())


CHILD = {"given_name": "Ada", "family_name": "Example", "birth_date": "2021-03-09"}


def register(**cells: str) -> list[RegisterRow | RowProblem]:
    return list(read_register(file(REGISTER.template(), CHILD | cells), TODAY))


def people(**cells: str) -> list[PersonRow | RowProblem]:
    agency = {
        "agency_key": "harbour-school", "agency_name": "Harbour School", "agency_kind": "school",
    }  # fmt: skip
    return list(read_people(file(PEOPLE.template(), agency | cells), TODAY))


def caseload(**cells: str) -> list[CaseloadRow | RowProblem]:
    case = {"panel": "north", "referred_on": "14/09/2026"}
    return list(read_caseload(file(CASELOAD.template(), CHILD | case | cells), TODAY))


def test_the_templates_are_the_headers_of_the_contract() -> None:
    assert REGISTER.template() == (
        "nhs_number,upn,given_name,family_name,birth_date,sex,postcode,ward_code,ethnicity,"
        "primary_need,agency,contact_name,contact_relationship,contact_parental_responsibility\r\n"
    )
    assert PEOPLE.template() == (
        "agency_key,agency_name,agency_kind,ods_code,worker_name,worker_email,roles,panel\r\n"
    )
    assert CASELOAD.template() == (
        "nhs_number,upn,given_name,family_name,birth_date,panel,referred_on,referred_by_agency,"
        "referral_reason,assessment_signed_on,assessment_by_email,assessment_document,"
        "plan_agreed_on,plan_summary,plan_outcomes,lead_professional_email,lead_since,"
        "last_discussed_on,next_review_by,level_of_need\r\n"
    )


def test_a_full_row_of_the_register() -> None:
    assert register(
        nhs_number="999 054 8609",
        upn="h801200001001",
        birth_date="09/03/2021",
        sex="F",
        postcode="sm11ea",
        ward_code="e05013749",
        ethnicity="Any other",
        primary_need="SLCN",
        agency="harbour-school",
        contact_name="Bo Example",
        contact_relationship="mother",
        contact_parental_responsibility="Yes",
    ) == [
        RegisterRow(
            line=2,
            nhs_number="9990548609",
            upn="H801200001001",
            given_name="Ada",
            family_name="Example",
            birth_date=date(2021, 3, 9),
            sex="female",
            postcode="SM1 1EA",
            ward_code="E05013749",
            ethnicity="Any other",
            primary_need="SLCN",
            agency="harbour-school",
            contact_name="Bo Example",
            contact_relationship="mother",
            contact_parental_responsibility=True,
        )
    ]


def test_names_and_birth_date_are_enough() -> None:
    (row,) = register()
    assert isinstance(row, RegisterRow)
    assert (row.nhs_number, row.sex, row.contact_parental_responsibility) == (None, None, None)


@pytest.mark.parametrize("born", ["2000-11-22", "2026-11-21"])
def test_a_child_is_from_birth_to_25(born: str) -> None:
    assert isinstance(register(birth_date=born)[0], RegisterRow)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"nhs_number": "9990548608"}, "line 2, nhs_number: This is not an NHS number"),
        ({"nhs_number": "0000000000"}, "line 2, nhs_number: An NHS number is never the same"),
        ({"upn": "A801200001001"}, "line 2, upn: This is not a UPN"),
        ({"birth_date": "2027-05-03"}, "line 2, birth_date: This date is in the future."),
        ({"birth_date": "2000-11-21"}, "line 2, birth_date: This is more than 25 years of age."),
        ({"birth_date": "5/21"}, "line 2, birth_date: Write the date as 2021-03-09"),
        ({"given_name": "😀" * 10_000}, "line 2, given_name: This is too long"),
        ({"sex": "?"}, "line 2, sex: Write female, male, indeterminate or not known."),
        ({"postcode": "SM1"}, "line 2, postcode: This is not a full postcode"),
        ({"ward_code": "Ward 7"}, "line 2, ward_code: A ward code is a letter and 8 digits"),
        ({"agency": "Harbour School"}, "line 2, agency: Use small letters, digits and hyphens"),
        (
            {"contact_name": "Bo", "contact_parental_responsibility": "perhaps"},
            "line 2, contact_parental_responsibility: Write yes or no",
        ),
        ({"contact_relationship": "mother"}, "line 2, contact_name: There is something of a"),
    ],
)
def test_a_wrong_row_of_the_register(cells: dict[str, str], problem: str) -> None:
    (found,) = register(**cells)
    assert str(found).startswith(problem)


@pytest.mark.parametrize("written", ["F", "male", "9", "Not known", "X", "Girl", "indeterminate"])
def test_every_way_to_write_a_sex_is_one_that_is_stored(written: str) -> None:
    (row,) = register(sex=written)
    assert isinstance(row, RegisterRow)
    assert row.sex in SEXES


def test_a_worker_with_several_roles() -> None:
    (row,) = people(
        ods_code="ab123",
        worker_name="Cy Example",
        worker_email="Cy@Example.org",
        roles="Panel member; practitioner;panel_member",
        panel="north",
    )
    assert isinstance(row, PersonRow)
    assert (row.worker_email, row.roles, row.panel, row.ods_code) == (
        "cy@example.org",
        ("panel_member", "practitioner"),
        "north",
        "AB123",
    )


def test_an_agency_without_a_worker() -> None:
    (row,) = people()
    assert isinstance(row, PersonRow)
    assert (row.worker_name, row.roles) == (None, ())


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"agency_kind": "shop"}, "line 2, agency_kind: Write one of: health, education,"),
        ({"agency_key": ""}, "line 2, agency_key: This may not be empty."),
        ({"ods_code": "?"}, "line 2, ods_code: An ODS code has 3 to 10 letters and digits."),
        ({"worker_name": "Cy Example"}, "line 2, worker_email: A worker needs an e-mail address"),
        ({"roles": "manager"}, "line 2, worker_name: There is something of a worker but no name"),
        ({"roles": "king"}, "line 2, roles: Write one of:"),
        (
            {"worker_name": "Cy", "worker_email": "cy at example"},
            "line 2, worker_email: This is not an e-mail address",
        ),
    ],
)
def test_a_wrong_row_of_people(cells: dict[str, str], problem: str) -> None:
    (found,) = people(**cells)
    assert str(found).startswith(problem)


def test_a_full_row_of_the_caseload() -> None:
    (row,) = caseload(
        referred_by_agency="harbour-school",
        referral_reason="Needs two services.",
        assessment_signed_on="2026-10-01",
        assessment_by_email="cy@example.org",
        assessment_document="papers\\ada.pdf",
        plan_agreed_on="2026-10-08",
        plan_summary="To walk to school.",
        plan_outcomes="Walks to school; Sleeps two nights a week",
        lead_professional_email="di@example.org",
        lead_since="2026-10-08",
        last_discussed_on="2026-10-22",
        next_review_by="2027-04-22",
        level_of_need="Early help",
    )
    assert isinstance(row, CaseloadRow)
    assert row.referred_on == date(2026, 9, 14)
    assert row.assessment_document == PurePosixPath("papers/ada.pdf")
    assert row.plan_outcomes == ("Walks to school", "Sleeps two nights a week")
    assert row.next_review_by == date(2027, 4, 22)
    assert row.level_of_need == "early_help"


def test_a_case_that_has_only_been_referred() -> None:
    (row,) = caseload()
    assert isinstance(row, CaseloadRow)
    assert (row.assessment_signed_on, row.plan_outcomes, row.lead_since) == (None, (), None)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"panel": ""}, "line 2, panel: This may not be empty."),
        ({"referred_on": "2026-11-22"}, "line 2, referred_on: This date is in the future."),
        ({"last_discussed_on": "2026-12-03"}, "line 2, last_discussed_on: This date is in the"),
        ({"assessment_signed_on": "2026-10-01"}, "line 2, assessment_by_email: Say who signed"),
        ({"assessment_document": "a.pdf"}, "line 2, assessment_signed_on: There is an"),
        ({"assessment_document": "../a.pdf"}, "line 2, assessment_document: Name a file in the"),
        ({"assessment_document": "/etc/a.pdf"}, "line 2, assessment_document: Name a file in"),
        ({"assessment_document": "C:\\a.pdf"}, "line 2, assessment_document: Name a file in"),
        ({"plan_outcomes": "walks"}, "line 2, plan_agreed_on: There is a plan but no day"),
        ({"lead_since": "2026-10-01"}, "line 2, lead_professional_email: Say who the lead"),
        ({"next_review_by": "2027-04-22"}, "line 2, last_discussed_on: A review is due but"),
        (
            {"last_discussed_on": "2026-10-22", "next_review_by": "2026-10-21"},
            "line 2, next_review_by: The review is due before the last discussion.",
        ),
        ({"level_of_need": "high"}, "line 2, level_of_need: Write one of: universal, early_help"),
    ],
)
def test_a_wrong_row_of_the_caseload(cells: dict[str, str], problem: str) -> None:
    (found,) = caseload(**cells)
    assert str(found).startswith(problem)
