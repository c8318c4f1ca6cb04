"""Messages to write: of every type one that says all and one that says the least; and any."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from interop import messages as said

AT = datetime(2026, 11, 23, 9, 30, 0, 123000, tzinfo=UTC)
ON = date(2026, 11, 23)
LATER = date(2027, 5, 1)


def one(number: int) -> str:
    """An id."""
    return f"018f3e5a-0000-7000-8000-{number:012d}"


CHILD, AGENCY, WORKER, PLAN, OUTCOME, ACTION, NOTE, SITTING, CARER = map(one, range(1, 10))
PRACTICE, SERVICE, FORM, ANSWERS = map(one, range(10, 14))

TEXT = said.FormQuestion(key="words", label="Their words", kind="long_text")
COLUMNS = (
    said.FormQuestion(key="on", label="When", kind="date"),
    said.FormQuestion(key="sure", label="Sure?", kind="yes_no"),
    said.FormQuestion(
        key="who",
        label="Who",
        kind="choices",
        choices=(said.FormChoice("child", "The child"), said.FormChoice("parent", "A parent")),
    ),
    TEXT,
)
QUESTIONS = (
    said.FormQuestion(key="name", label="Name", kind="short_text"),
    said.FormQuestion(key="born", label="Born on", kind="date"),
    said.FormQuestion(key="agrees", label="Agrees?", kind="yes_no"),
    said.FormQuestion(
        key="sex", label="Sex", kind="choice", choices=(said.FormChoice("f", "Female"),)
    ),
    said.FormQuestion(key="from_family", label="Who agreed", kind="choice"),
    said.FormQuestion(key="speech", label="Speech", kind="element", columns=COLUMNS),
    said.FormQuestion(key="people", label="People", kind="people", columns=COLUMNS),
)
ROW = (("on", "2026-11-23"), ("sure", "yes"), ("who", ("child", "parent")), ("words", "Blue bus"))
GIVEN = (
    said.Given(key="name", label="Name", kind="short_text", cell="Ana"),
    said.Given(key="born", label="Born on", kind="date", cell="2021-03-09"),
    said.Given(key="agrees", label="Agrees?", kind="yes_no", cell="no"),
    said.Given(
        key="sex", label="Sex", kind="choice", cell="f", choices=(said.FormChoice("f", "Female"),)
    ),
    said.Given(key="speech", label="Speech", kind="element", rows=(ROW,), columns=COLUMNS),
    said.Given(key="people", label="People", kind="people", rows=(ROW, ROW), columns=COLUMNS),
    said.Given(key="other", label="Other", kind="rows", rows=((("unknown", "Anything"),),)),
)

EMPTY = (
    said.FormSection(key="empty", title="", category="", questions=()),
    said.FormSection(
        key="odd",
        title="",
        category="plan",
        questions=(
            said.FormQuestion(key="part", label="", kind="element"),
            said.FormQuestion(key="rows", label="", kind="rows"),
            said.FormQuestion(
                key="text", label="", kind="short_text", choices=(said.FormChoice("a", "A"),)
            ),
            said.FormQuestion(key="which", label="", kind="choice"),
            said.FormQuestion(
                key="what", label="", kind="choices", choices=(said.FormChoice("no code ", ""),)
            ),
        ),
    ),
)
"""Sections and questions that FHIR has rules about."""

FULL: tuple[said.Message, ...] = (
    said.Child(
        id=CHILD,
        changed_at=AT,
        restricted=True,
        parts_withheld=True,
        reference="C-1042",
        given_name="Ana Maria",
        family_name="Kestrel",
        known_as="Annie",
        birth_date=date(2021, 3, 9),
        sex="female",
        nhs_number="9434765919",
        nhs_number_verified=True,
        upn="Z999999999999",
        address="1 Teasel Close\nLeeds",
        postcode="LS1 1AA",
        phone="0113 496 0000",
        ethnicity="white_other",
        first_language="Polish",
        interpreter="British Sign Language",
        practice=PRACTICE,
        died=True,
    ),
    said.Carer(
        id=CARER,
        child=CHILD,
        name="Marta Kestrel",
        relationship="mother",
        parental_responsibility=True,
        lives_with=True,
        phone="0113 496 0001",
        email="marta@example.org",
        address="1 Teasel Close\nLeeds",
        first_language="Polish",
        interpreter="Polish",
        from_on=ON,
        until_on=LATER,
    ),
    said.Worker(
        id=WORKER,
        name="Dina Plover",
        agency=AGENCY,
        job_title="Health visitor",
        phone="0113 496 0002",
        email="dina@example.org",
        from_on=ON,
        until_on=LATER,
    ),
    said.Agency(id=AGENCY, name="Children’s Trust", kind="health", ods_code="RR8", closed_on=ON),
    said.Service(
        id=SERVICE,
        provider=AGENCY,
        name="Short breaks",
        description="Saturdays",
        kind="short_break",
        running=False,
        url="https://example.org/breaks",
        email="breaks@example.org",
        phone="0113 496 0003",
        min_age=0,
        max_age=18,
        referral_route="By the panel",
    ),
    said.Episode(
        id=one(20),
        child=CHILD,
        opened_on=ON,
        identified_on=ON,
        closed_on=LATER,
        closure_reason="needs_met",
        agency=AGENCY,
    ),
    said.Need(
        id=one(21),
        child=CHILD,
        code="asd",
        words="Autistic spectrum disorder",
        snomed=said.Coded("35919005", "Pervasive developmental disorder"),
        text="Worried by noise.",
        is_diagnosis=True,
        recorded_on=ON,
    ),
    said.Form(
        id=FORM,
        key="caf",
        number=3,
        title="Common assessment",
        sections=(
            said.FormSection(key="child", title="Child", category="identity", questions=QUESTIONS),
        ),
    ),
    said.FormAnswers(
        id=ANSWERS,
        child=CHILD,
        form=FORM,
        form_key="caf",
        form_number=3,
        title="Common assessment",
        signed_off=True,
        author=WORKER,
        author_agency=AGENCY,
        started_on=ON,
        signed_off_on=LATER,
        sections=(said.GivenSection(key="child", title="Child", answers=GIVEN),),
    ),
    said.Plan(
        id=PLAN,
        child=CHILD,
        number=2,
        state="agreed",
        summary="Lunch at nursery",
        started_on=ON,
        agreed_on=ON,
        ended_on=LATER,
        author_agency=AGENCY,
        outcomes=(OUTCOME,),
        actions=(ACTION,),
        has_team=True,
    ),
    said.Outcome(
        id=OUTCOME,
        child=CHILD,
        plan=PLAN,
        text="Stays for lunch",
        measure="Lunches a week",
        state="reached",
        baseline=0,
        target=5,
        started_on=ON,
        progress=(
            said.Progress(ON, 0, None),
            said.Progress(LATER, 4, "Four"),
            said.Progress(LATER),
        ),
    ),
    said.Team(
        id=CHILD,
        child=CHILD,
        members=(
            said.TeamMember(
                agency=AGENCY,
                worker=WORKER,
                part="Health visitor",
                is_lead=True,
                from_on=ON,
                until_on=LATER,
            ),
            said.TeamMember(agency=AGENCY, from_on=ON, until_on=ON),
        ),
        carers=(CARER,),
    ),
    said.Action(
        id=ACTION,
        child=CHILD,
        text="Make a book",
        state="done",
        plan=PLAN,
        outcome=OUTCOME,
        owner=WORKER,
        owner_words="Dina Plover",
        asked_on=ON,
        due_on=LATER,
        done_on=ON,
        note="Done",
    ),
    said.Request(
        id=one(22),
        child=CHILD,
        reference="R-7",
        state="sent",
        legal_basis="s17",
        need="Sleep",
        need_code="pd",
        outcome="Two nights",
        asked_for="Short breaks",
        service=SERVICE,
        units=Decimal("1.10"),
        unit="hour",
        urgency="soon",
        category="social_care",
        agency=AGENCY,
        sent_on=ON,
        sent_by=WORKER,
    ),
    said.Sitting(
        id=SITTING,
        child=CHILD,
        panel="East panel",
        starts_at=AT,
        minutes=15,
        state="discussed",
        why="review_due",
        discussed_at=AT,
        agencies=(AGENCY,),
    ),
    said.Note(
        id=NOTE,
        child=CHILD,
        sitting=SITTING,
        number=1,
        state="signed_off",
        categories=("panel", "health"),
        text="We met. Ana’s new book is great.\n",
        signed_off_at=AT,
        signed_off_by=WORKER,
        author_agency=AGENCY,
    ),
    said.Sending(
        id=one(23),
        child=CHILD,
        note=NOTE,
        to=CARER,
        way="email",
        state="opened",
        sent_at=AT,
        opened_at=AT + timedelta(days=1),
    ),
    said.Agreement(
        id=one(24),
        child=CHILD,
        given=True,
        by=CARER,
        by_words="her mother",
        agencies=(AGENCY,),
        not_agencies=(PRACTICE,),
        categories=("health", "plan"),
        purposes=("exchange",),
        from_on=ON,
        until_on=LATER,
        withdrawn_at=AT,
    ),
    said.Alert(
        id=one(25), child=CHILD, code="epilepsy", words="Epilepsy", from_on=ON, until_on=LATER
    ),
    said.Change(
        id=one(26),
        child=CHILD,
        target_type="Task",
        target=ACTION,
        what="action.state",
        at=AT,
        by=WORKER,
        agency=AGENCY,
    ),
    said.PanelChildren(
        id=one(28), changed_at=AT, key="early-years", name="Early years panel", children=(CHILD,)
    ),
    said.Look(
        id=one(27),
        child=CHILD,
        at=AT,
        viewer=WORKER,
        viewer_kind="worker",
        agency=AGENCY,
        purpose="support",
        doing="case",
        permitted=False,
    ),
)

LEAST: tuple[said.Message, ...] = (
    said.Child(id=CHILD, reference="", given_name="", family_name=""),
    said.Carer(id=CARER, child=CHILD, name="", relationship=""),
    said.Worker(id=WORKER, name="", agency=AGENCY),
    said.Agency(id=AGENCY, name="", kind=""),
    said.Service(id=SERVICE, provider=AGENCY, name="", kind=""),
    said.Episode(id=one(20), child=CHILD, opened_on=ON, agency=AGENCY),
    said.Need(id=one(21), child=CHILD, words=""),
    said.Form(id=FORM, key="caf", number=1, title="", sections=EMPTY),
    said.FormAnswers(
        id=ANSWERS,
        child=CHILD,
        form=FORM,
        form_key="caf",
        form_number=1,
        title="",
        signed_off=False,
        started_on=ON,
    ),
    said.Plan(id=PLAN, child=CHILD, number=1, state="draft", started_on=ON, author_agency=AGENCY),
    said.Outcome(id=OUTCOME, child=CHILD, plan=PLAN, text="", state="stopped"),
    said.Team(id=CHILD, child=CHILD, members=()),
    said.Action(id=ACTION, child=CHILD, text="", state="to_do"),
    said.Request(id=one(22), child=CHILD, reference="", state="", agency=AGENCY),
    said.Sitting(
        id=SITTING, child=CHILD, panel="", starts_at=AT, minutes=0, state="removed", why=""
    ),
    said.Note(
        id=NOTE,
        child=CHILD,
        number=1,
        state="recalled",
        text="",
        signed_off_at=AT,
        author_agency=AGENCY,
    ),
    said.Sending(id=one(23), child=CHILD, note=NOTE, way="letter", state=""),
    said.Agreement(id=one(24), child=CHILD, given=False, by_words="", from_on=ON),
    said.Alert(id=one(25), child=CHILD, code="", words=""),
    said.Change(id=one(26), child=CHILD, target_type="Task", target=ACTION, what="", at=AT),
    said.PanelChildren(id=one(28), key="", name="", children=()),
    said.Look(
        id=one(27),
        child=CHILD,
        at=AT,
        viewer="job",
        viewer_kind="job",
        purpose="",
        doing="",
        permitted=True,
    ),
)


M = TypeVar("M", bound=said.Message)


def of(kind: type[M]) -> M:
    """The example of this type that says all."""
    return next(each for each in FULL if isinstance(each, kind))
