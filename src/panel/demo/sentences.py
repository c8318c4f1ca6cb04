"""What people wrote in the invented records: by need, so that a record hangs together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """A primary need and what is typically said of it. {n} is the child's first name."""

    key: str
    health: str
    development: str
    education: str
    outcome: str
    measure: str
    action: str
    second_outcome: str
    second_action: str
    parent: str
    child: str
    event: str


NEEDS = (
    Need(
        "speech_language_communication",
        "{n}'s hearing was tested in the spring and is good in both ears.",
        "{n} uses about twenty words and many gestures, and follows what is said with pictures.",
        "{n} joins in at nursery when the adults sign as they speak.",
        "{n} asks for what he or she needs without getting upset",
        "Asks with a word, sign or picture five times in a morning",
        "Make a picture book of the day and show everyone how to use it",
        "{n} has two friends to play with",
        "Invite two children to a small play group on Tuesdays",
        "We understand {n} at home. We want others to understand {n} too.",
        "I like the big red bus book.",
        "Began speech and language therapy, six sessions at the centre.",
    ),
    Need(
        "autistic_spectrum_disorder",
        "{n} eats five foods and sleeps about five hours a night.",
        "{n} plays best alone, knows every letter, and is worried by sudden noise.",
        "{n} manages the mornings at nursery with a quiet corner and a visual timetable.",
        "Two unbroken nights a week for the whole family",
        "Nights without waking, counted each week",
        "Sleep clinic visit and a plan for bedtime",
        "{n} stays for lunch at nursery",
        "Headphones and a place at the end of the table for lunch",
        "I want to know which school before Christmas.",
        "Too loud. I like my corner.",
        "Assessment for autism finished; the family have the report.",
    ),
    Need(
        "physical_disability",
        "{n} has cerebral palsy that affects both legs; hips are checked every six months.",
        "{n} stands with a frame and crawls quickly; hands are strong.",
        "{n} takes part in everything on the floor; the outdoor area has a step.",
        "{n} gets about at nursery without being carried",
        "Moves from room to room with the walker on four days of five",
        "Order the walker and teach the nursery staff to fit it",
        "{n} dresses with a little help",
        "Practise with large buttons at home and at nursery",
        "We waited too long for the last chair. Please do not let that happen again.",
        "I go fast in my frame!",
        "Physiotherapy review; new splints fitted.",
    ),
    Need(
        "hearing_impairment",
        "Hearing test in October: moderate loss in both ears; hearing aids fitted.",
        "{n} looks at faces closely and copies mouth shapes.",
        "{n} sits near the front and the room has soft flooring now.",
        "{n} wears the hearing aids all day",
        "Hours worn, from the data in the aids",
        "Teacher of the deaf to visit nursery each fortnight",
        "{n} follows a story with the group",
        "Try a radio aid at story time",
        "Nobody told us about the signing course until a friend did.",
        "My ears are blue.",
        "Audiology now involved; aids fitted on both sides.",
    ),
    Need(
        "global_delay",
        "{n} was born at 29 weeks and was on oxygen until nine months old.",
        "{n} sits alone, reaches for toys and laughs at peekaboo.",
        "{n} has two mornings at nursery with one-to-one support.",
        "{n} feeds with a spoon at one meal a day",
        "Meals with the spoon in a week",
        "Portage visits each Monday with a feeding plan",
        "Home from hospital appointments by teatime",
        "One clinic day for all three specialists",
        "There are eleven people in our diary. We would like one to ring.",
        "(laughs, points at the window)",
        "Discharged from the neonatal follow-up clinic.",
    ),
    Need(
        "complex_medical",
        "{n} has epilepsy with two kinds of seizure and is fed through a gastrostomy.",
        "{n} knows voices and turns to music.",
        "Nursery staff are trained in rescue medicine; three are confident.",
        "The family can leave the house in twenty minutes",
        "Time from ready to door, measured on Saturdays",
        "One list of equipment and one number to ring for all of it",
        "Both parents sleep four nights a week",
        "Night care assessment and a carer in training",
        "If I am ill there is nobody. That is what keeps me awake.",
        "(smiles at music)",
        "In hospital for nine nights with a chest infection.",
    ),
)

SOCIAL_CARE = (
    "A short-breaks assessment was begun; the family would like Saturdays.",
    "Home visit: the kitchen door is too narrow for the chair.",
    "Carer's assessment offered to both parents.",
)
FAMILY = (
    "Lives with both parents and an older brother; grandmother helps on Fridays.",
    "Lives with mother; father visits at weekends and comes to appointments.",
    "Lives with both parents, who work shifts and take turns at home.",
)
FINANCE = (
    "Disability living allowance was applied for; no answer yet.",
    "Rent arrears of two months after father's hours were cut.",
    "Mobility part of the allowance was refused; the family are appealing.",
)
SAFEGUARDING = (
    "Medicines are kept in a locked box; carers know the plan.",
    "A neighbour's worry about shouting was looked into; no further action.",
    "Stair gates were fitted after a fall.",
)
DISCUSSIONS = (
    "The panel heard what changed. The lead professional will tell the family who needs to know.",
    "Therapy and nursery will use the same pictures. Health visiting to ring the family this week.",
    "Two agencies had not seen the report; both have it now. No new agency is needed.",
    "The move to school is the main worry; the school will be invited to the next review.",
)
REFERRALS = (
    "Two specialist services are needed and nobody holds the whole picture yet.",
    "The family ask for one plan and one person to ring.",
    "Seen by three services this year; needs a joined-up plan before nursery.",
)
FOR_FAMILIES = (
    "We talked about what goes well at home and at nursery.",
    "The people who help will use the same pictures at home and at nursery.",
    "We heard that the mornings are easier now.",
    "We talked about sleep, and what could help.",
    "The next step is one appointment for all three clinics on the same day.",
    "We heard what you told us, and it comes first.",
)
"""What is said at a panel and marked for the family."""
FROM_AGENCIES = (
    ("health", "Seen in clinic this month; the next visit is planned."),
    ("development", "More words and gestures than at the last visit."),
    ("education", "Joins in at nursery when an adult sits beside the group."),
    ("panel", "Nothing to add from our agency this time."),
)
"""What members of a panel add: category and words."""
ASKED_FOR = (
    "Ring the family and say what was agreed",
    "Send the report to everybody who helps",
    "Visit nursery and look at the seating",
    "Find a date for one appointment with all three",
    "Write down who does what by when",
)
"""What a panel asks people to do."""
FAMILY_WORDS = (
    "We want one person to ring.",
    "The mornings are hard. What can help?",
    "Please say which nursery has a place.",
    "We are happy with how things go.",
)
"""What families tell a panel beforehand."""
