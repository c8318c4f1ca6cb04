"""The invented authority: its agencies, the people who work there, and who the personas are."""

from dataclasses import dataclass

from consent import Role

AUTHORITY = "wexcombe"
LABEL = "Wexcombe Borough (demo)"
PANEL_KEY = "contacts"
PANEL_NAME = "CONTACTS panel"
ALLOCATION_KEY = "allocation"
ALLOCATION_NAME = "Allocation panel"
PLACE = "Marlow Centre, Wexcombe"
ADVICE = "Wexcombe IAS on 01632 960 014"


@dataclass(frozen=True, slots=True)
class DemoAgency:
    """An invented agency; a member of the panel or not."""

    key: str
    name: str
    kind: str
    on_panel: bool = False
    part: str = ""
    """What its workers do with a child."""


AGENCIES = (
    DemoAgency("early-help", "Wexcombe Early Help", "council", on_panel=True),
    DemoAgency(
        "health-visiting", "Health Visiting", "health", on_panel=True, part="health visiting"
    ),
    DemoAgency(
        "paediatrics", "Community Paediatrics", "health", on_panel=True, part="paediatrician"
    ),
    DemoAgency(
        "speech-therapy", "Speech and Language Therapy", "health", on_panel=True, part="therapy"
    ),
    DemoAgency(
        "early-years", "Early Years Inclusion", "education", on_panel=True, part="inclusion teacher"
    ),
    DemoAgency("portage", "Wexcombe Portage", "education", part="Portage home visiting"),
    DemoAgency(
        "disabled-children",
        "Disabled Children's Team",
        "social_care",
        on_panel=True,
        part="social work",
    ),
    DemoAgency("together", "Wexcombe Together", "voluntary", on_panel=True, part="family support"),
    DemoAgency("little-acorns", "Little Acorns Nursery", "school", part="nursery place"),
    DemoAgency("larkfield", "Larkfield Primary School", "school", part="school place"),
    DemoAgency("mill-lane", "Mill Lane Surgery", "gp", part="family doctor"),
    DemoAgency("icb", "Wex and Downs Integrated Care Board", "icb"),
)

CONNECTED = ("health-visiting", "paediatrics", "speech-therapy", "mill-lane")
"""The agencies that have a computer system of their own: the trust's and the practice's."""


@dataclass(frozen=True, slots=True)
class DemoWorker:
    """An invented worker. `roles` with a star are of the panel."""

    key: str
    name: str
    agency: str
    job_title: str
    roles: tuple[Role, ...]
    persona: str = ""
    role_words: str = ""


P, M, C = Role.PRACTITIONER, Role.PANEL_MEMBER, Role.COORDINATOR
PANEL_ROLES = frozenset({Role.COORDINATOR, Role.CHAIR, Role.PANEL_MEMBER})

WORKERS = (
    DemoWorker("grace", "Grace Tolliver", "early-help", "Panel coordinator", (C,), "coordinator",
               "Coordinator of the CONTACTS panel"),
    DemoWorker("marcus", "Dr Marcus Adeyinka", "paediatrics", "Consultant paediatrician",
               (Role.CHAIR, P), "chair", "Chair of the CONTACTS panel"),
    DemoWorker("rosa", "Rosa Whitlow", "health-visiting", "Specialist health visitor", (P, M),
               "lead-health", "Lead professional, health visiting"),
    DemoWorker("hana", "Hana Oduya", "early-years", "Inclusion teacher", (P, M),
               "lead-education", "Lead professional, early years inclusion"),
    DemoWorker("tom", "Tom Brackenbury", "disabled-children", "Social worker", (P, M),
               "lead-social-care", "Lead professional, social care"),
    DemoWorker("sheila", "Sheila Pennyfeather", "health-visiting", "Team manager",
               (Role.MANAGER,), "manager", "Manager in health visiting"),
    DemoWorker("yusuf", "Yusuf Larkham", "together", "Family support worker", (P, M),
               "voluntary", "Voluntary agency on the panel"),
    DemoWorker("bridget", "Bridget Oakapple", "disabled-children", "Service manager",
               (Role.ALLOCATION_MEMBER, Role.BUDGET_HOLDER), "allocation-member",
               "Member of the allocation panel"),
    DemoWorker("pauline", "Pauline Quillfeather", "together", "Parents' representative",
               (Role.PARENTS_REPRESENTATIVE,), "parents-representative",
               "Parents' representative"),
    DemoWorker("edwin", "Edwin Marchbanks", "icb", "Commissioner", (Role.COMMISSIONER,),
               "commissioner", "Commissioner"),
    DemoWorker("ngozi", "Ngozi Hartwhistle", "early-help", "Information governance lead",
               (Role.GOVERNANCE_LEAD,), "governance", "Information governance lead"),
    DemoWorker("alan", "Alan Thimblewood", "early-help", "Administrator",
               (Role.ADMINISTRATOR,), "administrator", "Administrator"),
    DemoWorker("beth", "Beth Amory", "portage", "Portage home visitor", (P,)),
    DemoWorker("idris", "Idris Calloway", "portage", "Portage home visitor", (P,)),
    DemoWorker("olive", "Olive Stackpole", "portage", "Portage manager", (Role.MANAGER,)),
    DemoWorker("farah", "Farah Nettlebed", "speech-therapy", "Speech and language therapist",
               (P, M)),
    DemoWorker("denzil", "Denzil Ravenscar", "speech-therapy", "Therapy manager",
               (Role.MANAGER,)),
    DemoWorker("ivy", "Ivy Coppersmith", "health-visiting", "Health visitor", (P,)),
    DemoWorker("kofi", "Kofi Merriweather", "paediatrics", "Community paediatrician", (P, M)),
    DemoWorker("lena", "Lena Ashgrove", "early-years", "Inclusion teacher", (P,)),
    DemoWorker("mo", "Mo Winterbourne", "disabled-children", "Social worker", (P,)),
    DemoWorker("sian", "Siân Hollowell", "together", "Family support worker", (P,)),
    DemoWorker("petra", "Petra Goldthread", "early-help", "Early help worker", (P, M)),
    DemoWorker("joan", "Joan Featherstonehaugh", "early-years", "Inclusion manager",
               (Role.MANAGER,)),
    DemoWorker("viv", "Viv Saltmarsh", "disabled-children", "Safeguarding lead",
               (Role.SAFEGUARDING_LEAD, Role.MANAGER)),
    DemoWorker("ruth", "Ruth Candlewick", "early-help", "Deputy administrator",
               (Role.ADMINISTRATOR,)),
    DemoWorker("astrid", "Astrid Merganser", "disabled-children", "Head of service", ()),
)  # fmt: skip

ALLOCATION_AGENCIES = (
    "early-help", "paediatrics", "speech-therapy", "early-years", "disabled-children",
)  # fmt: skip
ALLOCATION_SEATS = (
    ("grace", C), ("astrid", Role.CHAIR), ("bridget", M), ("denzil", M), ("joan", M),
)  # fmt: skip
"""Who sits on the allocation panel, and as what."""

LEAVER = "idris"

LEADS = ("rosa", "hana", "tom", "beth", "ivy", "farah", "lena", "mo", "sian", "kofi", "petra")
"""Who may hold a child's plan, the personas first."""

WARDS = (
    ("W90000001", "Marlow"),
    ("W90000002", "Upper Wex"),
    ("W90000003", "Lower Wex"),
    ("W90000004", "St Osyth"),
    ("W90000005", "Quarry Hill"),
    ("W90000006", "Fenside"),
)
