"""Invented sentences as notes to parents have them: nothing in them may be marked."""

import random
from collections.abc import Iterator

from panel.panels.note_marks import NoteContext, OtherChild

CONTEXT = NoteContext(
    child=("Amina", "Kestrel", "Mina"),
    recipients=("Marta Kestrel", "Yusuf Ben Kestrel"),
    workers=(
        "Rosa Whitlow", "Dr Priya Wren", "Hana Oduya", "Grace Tolliver", "Mark Penhallow",
        "Siobhan O'Leary", "Theo Park",
    ),
    places=(
        "Marlow Centre", "Little Acorns Nursery", "St Bride's Primary School", "Wexcombe",
        "Wexcombe Council", "Health visiting", "Early years inclusion", "Homestart Wexcombe",
        "Marlow Surgery", "Harbour Ward",
    ),
    phones=("01632 960 001", "+44 1632 960002"),
    others=(
        OtherChild(("Theo",), "Kestrel"),
        OtherChild(("Leila", "Lulu"), "Plover"),
        OtherChild(("Jakub",), "Nowicki"),
        OtherChild(("Grace",), "Ferris"),
        OtherChild(("Will",), "Baker"),
        OtherChild(("Niamh",), "O'Connell"),
        OtherChild(("May",), "Song"),
        OtherChild(("Mohammed",), "Rafiq"),
        OtherChild(("Zofia",), "Green"),
        OtherChild(("Kit",), "Tremayne"),
    ),
    addresses=("7 Quarry Bank", "WX1 2AB"),
    protected=("14 Tern Street", "WX3 9QR"),
)  # fmt: skip

CLEAN = """
Amina is happy at nursery in the mornings.
She now sits at the table for snack and lunch.
Her key worker will send a photo home each Friday.
The panel talked about sleep first, because you asked for that.
Rosa Whitlow will visit on Tuesday 8 December 2026 at 10:30.
Dr Wren will write to you before Christmas.
Mark Penhallow will bring the new chair in January.
Grace Tolliver will ring you if the day changes.
You can ring Rosa on 01632 960 001.
You can also ring 01632 960002 in the afternoon.
Little Acorns Nursery will keep a quiet corner for her.
St Bride's Primary School will hold a place from September 2027.
The next meeting is at the Marlow Centre.
Health visiting and Early years inclusion will work together.
The speech and language therapist will see her every two weeks.
The occupational therapist will look at how she holds a spoon.
A physiotherapist will check her hips in the spring.
The educational psychologist will come to nursery in March.
Her social worker will talk with you about a short break.
The paediatrician said that her ears are clear.
May we come and see you at home?
You may ask for a copy of any letter.
This may take until May or June.
Will you let us know which day is best?
We hope that she will sleep better soon.
Hope is not a plan, so we wrote down who does what.
With grace and good humour she tried the new shoes.
She got full marks for trying.
We will mark the good nights on a chart.
She rose early on most days in October.
In summer she can play in the sand and water.
By autumn she should be walking with a frame.
She loves the colour green and the little brown bear.
The kit bag has spare clothes in it.
Your words were read out first: you want her to make a friend.
You told us that mornings are hard.
You said, "She needs time to get ready."
Nobody was sure which chair is the right one.
Everyone agreed that the splints fit well now.
People at the meeting were glad about the good news.
Something else came up: the bus is late on Mondays.
Sometimes she is tired after lunch.
Sleep is better on four nights of the week.
Meals take about forty minutes.
Pictures help her to know what comes next.
Swimming on Saturdays helps her legs.
Nappies will come in the post each month.
Glasses were ordered and should come this week.
Hearing tests are booked for Thursday 14 January 2027.
Swallowing is safe with thick drinks.
Blood tests were fine.
Toys with big buttons work best.
Dressing takes less time with large buttons.
English is her second language and Polish is her first.
She understands Urdu and some English.
Makaton signs are used at home and at nursery.
She watches Peppa Pig and Bluey.
The NHS pays for the new chair.
Your GP has a copy of this note.
She is in Reception from September.
In Year 1 the school will look again at her table.
Year R starts on 3 September 2027.
She takes vitamin D each morning.
Plan B is to try the smaller room.
She sits with Group B at story time.
The number 14 bus stops near the Marlow Centre.
About 12 children are in her class.
She drinks 200 ml at each meal.
She slept 9 hours on 23 November 2026.
The letter is from 2025-2026, so it is out of date.
It costs nothing: the council pays.
The chair costs £1,250 and is paid for.
Call 999 if she cannot breathe.
You can ring 111 at night.
Wexcombe Council will write by 15 January 2027.
Homestart Wexcombe can send someone on Wednesdays.
The Marlow Surgery will give the next flu jab.
The Harbour Ward nurse showed you how to feed her.
Hana Oduya works with the nursery every Thursday.
Siobhan O'Leary will bring picture cards.
Theo Park will help with the forms.
Marta, you asked about the school bus.
Yusuf, you asked about the chair.
Amina's splints are ready.
Mina, as you call her, waved when she saw the water.
Her grandma can come to the next visit.
Her brother can come along to the play group.
Dad can bring her on Fridays.
Mum would like a call after five.
Auntie can pick her up if you say so.
She plays with other children at the sand tray.
She has two friends at nursery.
Another child showed her how to use the slide.
They sing songs together after lunch.
The teacher of the deaf comes each fortnight.
The health visitor will weigh her next week.
A support worker will sit with her at lunch.
The dentist will see her in the big chair.
The nurse will teach staff to use the feeding pump.
Your family support worker is the person to ask.
We talked about the move to school.
We talked about money: you can ask for Carers Allowance.
We did not talk about holidays this time.
What went well: she asked for more with a sign.
What is hard: loud rooms and long waits.
What comes next: a visit to the school in February.
- a new chair
- a visit to the nursery
* less noise at lunch
1. Rosa will ring you.
2. The nursery will try a visual timetable.
If you do not agree, tell us in your own words.
If something is wrong here, please say so.
Thank you for the photos of the party.
Then she went down the slide on her own!
Is there a pool near you? Yes, at the leisure centre.
Can she come on Mondays? We think so.
Why is she so tired? The doctor will look into it.
How can we help at bedtime? Try the same song each night.
Who pays for the taxi? The council does.
No, she does not need another test now.
Yes, the hoist will fit in the bathroom.
Please keep the sleep diary for two weeks.
Bring her blue book to the visit.
Ask for the quiet room when you arrive.
Take the stairs slowly, with one hand on the rail.
Try the cup with two handles.
Look for the sign with a yellow bus.
At Easter the playgroup is closed.
During Ramadan the visits will be in the morning.
After Eid we will ring you again.
On Monday, Tuesday and Friday she stays for lunch.
From April she can stay all day.
Since August she has slept in her own bed.
Before July we will ask how it went.
The Disability Living Allowance form is due on 1 March 2027.
She uses an iPad to choose a song.
She likes Lego and Duplo bricks.
The wheelchair service will measure her again.
The hospital will send a letter.
The library has a story time on Saturday mornings.
We are pleased with how far she has come.
All of this was agreed with you on the phone.
Nothing will change without you.
Amina had her third birthday in June.
She can count to ten and knows her colours.
Her consultant is pleased with the new medicine.
The Children's Centre runs a group on Tuesday afternoons.
The school will apply for extra money for a helper.
There will be a meeting at school before half term.
Portugal was lovely, she said, and the sea was warm.
She went to Spain with her grandparents.
You asked whether she can start at Larkfield Primary School in September.
Larkfield Primary School has a hall with a ramp.
The Red Cross lent her a wheelchair.
Great Ormond Street Hospital will write in the new year.
Both parents came to the clinic at Wexcombe Hospital.
Rosa and Hana will meet you together.
Dr Wren and Mark will look at the chair.
Ms Oduya will ring on Friday.
Grace will send the form.
Siobhan will bring cards. Priya will check her ears.
Mrs Kestrel, thank you for coming.
She cannot yet jump or hop, but she climbs well.
Feeding takes an hour and she coughs with thin drinks.
Her hearing aids were mended twice.
Physiotherapy goes on every other week.
Occupational therapy will start again in spring.
Speech therapy has helped a great deal.
Bedtime is calm with the blue lamp.
Toilet training can wait until summer.
Tantrums happen when the plan changes.
Seizures are fewer: two in October and none in November.
Weight is 14.2 kg and height 98 cm.
She wears size 7 shoes with splints.
At 2:30 pm each day she naps.
Her plan runs from 1 September 2026 to 31 August 2027.
The cost is about £12,000 a year.
Room 4 has soft lights.
She is in Class 2 with Miss Oduya.
Bus 21 goes past the centre.
School is closed on 25 and 26 December.
Thanks to everyone who wrote.
Questions? Ring Rosa Whitlow on 01632 960 001 between 9 and 5.
The Equality Act says that nursery must make changes.
A blue badge may help with parking at the hospital.
Universal Credit and Carer's Allowance: ask the advice line.
Crawling is easier on the mat than on the carpet.
Reading together each night helps her talk.
Watching her sister dance makes her laugh.
The health visitor's next visit is on Monday 7 December 2026.
Wexcombe Leisure Centre has a warm pool.
Homestart will call you after New Year.
Early Help can start in January.
The Early Years team will train staff.
Makaton for "more", "stop" and "drink" is going well.
An interpreter for Urdu will come to the next meeting.
What matters to you: sleep, school and friends.
In the end, we agreed three things.
She has had covid twice this year.
Asthma is under control with the blue inhaler.
Eczema cream goes on at night.
Constipation is better with more fruit.
She is allergic to nuts.
""".strip().split("\n")


def clean_notes(count: int = 200) -> Iterator[str]:
    """So many notes, each of 4 to 9 of these sentences, the same ones every time."""
    chance = random.Random(20261203)  # noqa: S311 - the same notes every time, no secret
    for number in range(count):
        chosen = chance.sample(CLEAN, 4 + number % 6)
        opening = "On Thursday 3 December 2026 the panel talked about Amina."
        between = ("\n", " ", "\n\n")[number % 3]
        # A line of a list ends with the line.
        ended = [one if one[-1] in ".?!" else f"{one}\n" for one in chosen]
        yield between.join([opening, *ended])
