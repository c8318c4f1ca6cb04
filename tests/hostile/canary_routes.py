"""The case of every route: what it shows of children and to whom, and how its address is filled."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from consent import Purpose, Role, Viewer, ViewerKind
from panel.platform.ids import new_id
from tests.hostile.canary_rule import own_purposes


@dataclass(frozen=True, slots=True)
class Case:
    """What a route may show."""

    purposes: frozenset[Purpose] | None
    """What it may open a record for; None is whatever the viewer's role opens one for."""
    kinds: frozenset[ViewerKind]
    """As whom it may look."""
    for_the_table: bool = False
    """It is on the screen of a meeting: only what every agency here may see."""
    as_delivered: bool = False
    """It shows what was sent to families, as it was sent: the demonstration's mailbox."""
    for_safety: bool = False
    """It opens a record for somebody's safety as well, whatever the viewer's role usually does."""
    may_be_left: bool = False
    """It is for the information governance lead too, where nobody else may decide it."""

    def allows(self, viewer: Viewer, purpose: Purpose) -> bool:
        """Whether the route may look as this viewer, for this."""
        if viewer.kind not in self.kinds:
            return False
        if self.for_safety and purpose is Purpose.SAFEGUARDING:
            return True
        if self.may_be_left and purpose is Purpose.GOVERNANCE:
            return Role.GOVERNANCE_LEAD in viewer.roles
        return purpose in (own_purposes(viewer) if self.purposes is None else self.purposes)


_WORKERS = frozenset({ViewerKind.WORKER})
_PANEL = frozenset({Purpose.PANEL})
RECORD = Case(None, _WORKERS)
"""A child's record, for what the worker usually opens one for."""
FOR_SAFETY = Case(None, _WORKERS, for_safety=True, may_be_left=True)
"""What is withheld from whom, orders, enquiries and overrides."""
OBJECTION = Case(None, _WORKERS, may_be_left=True)
"""One objection, which the information governance lead may have to decide."""
HISTORY = Case(frozenset({Purpose.GOVERNANCE, Purpose.SUBJECT_ACCESS}), _WORKERS)
"""Who looked at what, for the information governance lead."""
ON_PANEL = Case(_PANEL, _WORKERS)
PACK = Case(_PANEL, frozenset({ViewerKind.AGENCY}))
"""The pack is the agency's, whoever of it reads it."""
PREVIEW = ON_PANEL
"""What an agency's pack would hold, for whoever runs the panel: as themselves."""
MEETING = Case(_PANEL, _WORKERS, for_the_table=True)
OWN_DATA = Case(
    frozenset({Purpose.GOVERNANCE, Purpose.SUBJECT_ACCESS}),
    frozenset({ViewerKind.WORKER, ViewerKind.FAMILY}),
)
"""Requests about one's own data: for who answers them, and for who asks."""
OF_FAMILY = Case(frozenset({Purpose.SUPPORT}), frozenset({ViewerKind.FAMILY}))
GUEST = Case(_PANEL, frozenset({ViewerKind.GUEST}))
SYSTEM = Case(frozenset({Purpose.EXCHANGE}), frozenset({ViewerKind.CLIENT}))
"""What is exchanged with the systems of agencies: nobody else is let in."""
MAILBOX = Case(frozenset(), frozenset(), as_delivered=True)
NOTHING = Case(frozenset(), frozenset())
"""It shows nothing of any child."""

WHAT_TO_ADD = (
    "{path} is a new address, and the canary crawl does not know what it may show. Add it to CASES"
    " in tests/hostile/canary_routes.py: NOTHING where it shows nothing of a child, else for what"
    " purposes and as whom it opens a record; and the table of any new part of its address to PARTS."
)

CASES: Mapping[str, Case] = {
    "/": RECORD,
    "/.well-known/security.txt": NOTHING,
    "/allocation/calculator": NOTHING,
    "/allocation/contracts": NOTHING,
    "/allocation/contracts/new": NOTHING,
    "/allocation/contracts/{contract_id:uuid}": NOTHING,
    "/allocation/contracts/{contract_id:uuid}/price": NOTHING,
    "/allocation/fairness": NOTHING,
    "/allocation/limits": NOTHING,
    "/allocation/pots": NOTHING,
    "/allocation/pots/new": NOTHING,
    "/allocation/pots/{pot_id:uuid}": RECORD,
    "/allocation/pots/{pot_id:uuid}/pay-in": NOTHING,
    "/api/v1/releases": NOTHING,
    "/api/v1/releases/{number:int}/catalogue": NOTHING,
    "/api/v1/releases/{number:int}/tables/{key:str}": NOTHING,
    "/calendar": NOTHING,
    "/calendar/terms": NOTHING,
    "/children": RECORD,
    "/children/new": RECORD,
    "/children/{child_id:uuid}": RECORD,
    "/children/{child_id:uuid}/agencies/new": RECORD,
    "/children/{child_id:uuid}/agencies/{involvement_id:uuid}/end": RECORD,
    "/children/{child_id:uuid}/agencies/{involvement_id:uuid}/start": RECORD,
    "/children/{child_id:uuid}/assessments": RECORD,
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}": RECORD,
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/check-answers": RECORD,
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sections/{slug:str}": RECORD,
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sections/{slug:str}/typed": RECORD,
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sign-off": RECORD,
    "/children/{child_id:uuid}/chronology": RECORD,
    "/children/{child_id:uuid}/corrections": RECORD,
    "/children/{child_id:uuid}/corrections/{correction_id:uuid}": RECORD,
    "/children/{child_id:uuid}/documents": RECORD,
    "/children/{child_id:uuid}/systems": RECORD,
    "/children/{child_id:uuid}/systems/{offered_id:uuid}": RECORD,
    "/children/{child_id:uuid}/documents/{document_id:uuid}": RECORD,
    "/children/{child_id:uuid}/experience": RECORD,
    "/children/{child_id:uuid}/meetings": RECORD,
    "/children/{child_id:uuid}/meetings/new": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/answer": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/cancel": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/decisions": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/decisions/{decided_id:uuid}/take-back": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/guests": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/held": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/invitations/{invitation_id:uuid}": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/invitations/{invitation_id:uuid}/take-back": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/minutes": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/minutes/again": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/minutes/keep": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/minutes/print": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/minutes/send": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/people": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/send": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/views": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/views/{view_id:uuid}/take-back": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/when": RECORD,
    "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/wishes": RECORD,
    "/children/{child_id:uuid}/step": RECORD,
    "/children/{child_id:uuid}/edit": RECORD,
    "/children/{child_id:uuid}/lead-professional": RECORD,
    "/children/{child_id:uuid}/lead-professional/offers": RECORD,
    "/children/{child_id:uuid}/lead-professional/offers/{offer_id:uuid}/withdraw": RECORD,
    "/children/{child_id:uuid}/grants/new": RECORD,
    "/children/{child_id:uuid}/grants/{grant_id:uuid}": RECORD,
    "/children/{child_id:uuid}/level-of-need": RECORD,
    "/children/{child_id:uuid}/packages": RECORD,
    "/children/{child_id:uuid}/packages/new": RECORD,
    "/children/{child_id:uuid}/packages/{package_id:uuid}": RECORD,
    "/children/{child_id:uuid}/packages/{package_id:uuid}/steps/{slug:str}": RECORD,
    "/children/{child_id:uuid}/panels": RECORD,
    "/children/{child_id:uuid}/panels/family-words": RECORD,
    "/children/{child_id:uuid}/panels/refer": RECORD,
    "/children/{child_id:uuid}/panels/{referral_id:uuid}/acknowledge": RECORD,
    "/children/{child_id:uuid}/panels/{referral_id:uuid}/close": RECORD,
    "/children/{child_id:uuid}/panels/{referral_id:uuid}/escalate": RECORD,
    "/children/{child_id:uuid}/panels/{referral_id:uuid}/transition": RECORD,
    "/children/{child_id:uuid}/panels/{referral_id:uuid}/urgent": RECORD,
    "/children/{child_id:uuid}/people": RECORD,
    "/children/{child_id:uuid}/people/new": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in/confirm": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in/end": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in/invite": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in/letter": RECORD,
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in/posted": RECORD,
    "/children/{child_id:uuid}/plan": RECORD,
    "/children/{child_id:uuid}/plan/actions/new": RECORD,
    "/children/{child_id:uuid}/plan/actions/{action_id:uuid}": RECORD,
    "/children/{child_id:uuid}/plan/actions/{action_id:uuid}/done": RECORD,
    "/children/{child_id:uuid}/plan/actions/{action_id:uuid}/step": RECORD,
    "/children/{child_id:uuid}/plan/agree": RECORD,
    "/children/{child_id:uuid}/plan/former/{plan_id:uuid}": RECORD,
    "/children/{child_id:uuid}/plan/lines/{line_id:uuid}": RECORD,
    "/children/{child_id:uuid}/plan/new": RECORD,
    "/children/{child_id:uuid}/plan/outcomes/new": RECORD,
    "/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}": RECORD,
    "/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}/progress": RECORD,
    "/children/{child_id:uuid}/plan/summary": RECORD,
    "/children/{child_id:uuid}/requests": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/appeal": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/appeal/{appeal_id:uuid}": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/chairs-action": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/letter": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/letter/{copy_id:uuid}": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/letter/{copy_id:uuid}/again": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/letter/{copy_id:uuid}/posted": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/out-of-area": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/out-of-area/conditions/{condition_id:uuid}": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/out-of-area/end": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/out-of-area/visits": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/places/{place_id:uuid}/answer": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/send": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/service": RECORD,
    "/children/{child_id:uuid}/services": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/unmet/{unmet_id:uuid}/close": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/waiting": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/waiting/{wait_id:uuid}/offer": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/waiting/{wait_id:uuid}/leave": RECORD,
    "/children/{child_id:uuid}/requests/{need_id:uuid}/withdraw": RECORD,
    "/children/{child_id:uuid}/sharing": RECORD,
    "/children/{child_id:uuid}/sharing/agreements": RECORD,
    "/children/{child_id:uuid}/sharing/agreements/new": RECORD,
    "/children/{child_id:uuid}/sharing/agreements/{agreement_id:uuid}/renew": RECORD,
    "/children/{child_id:uuid}/sharing/agreements/{agreement_id:uuid}/withdraw": RECORD,
    "/children/{child_id:uuid}/sharing/enquiries": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/enquiries/new": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/enquiries/{enquiry_id:uuid}/end": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/history": RECORD,
    "/children/{child_id:uuid}/sharing/judgements": RECORD,
    "/children/{child_id:uuid}/sharing/judgements/new": RECORD,
    "/children/{child_id:uuid}/sharing/objections": RECORD,
    "/children/{child_id:uuid}/sharing/objections/new": RECORD,
    "/children/{child_id:uuid}/sharing/objections/{objection_id:uuid}": OBJECTION,
    "/children/{child_id:uuid}/sharing/orders": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/orders/new": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/orders/{order_id:uuid}/end": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/orders/{waiting_id:uuid}/confirm": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/override": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/overrides/{override_id:uuid}": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/overrides/{override_id:uuid}/steps": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/requests": RECORD,
    "/children/{child_id:uuid}/sharing/requests/{request_id:uuid}": RECORD,
    "/children/{child_id:uuid}/sharing/restrictions": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/restrictions/choose": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/restrictions/former-name": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/restrictions/former-names/{former_id:uuid}/end": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/restrictions/protect": FOR_SAFETY,
    "/children/{child_id:uuid}/sharing/restrictions/{restriction_id:uuid}/end": FOR_SAFETY,
    "/children/{child_id:uuid}/siblings": RECORD,
    "/demo/mailbox": MAILBOX,
    "/demo/mailbox/{delivery_id:uuid}": MAILBOX,
    "/demo/sign-in/{persona:str}": NOTHING,
    "/commissioning": NOTHING,
    "/commissioning/gap": NOTHING,
    "/commissioning/methods": NOTHING,
    "/commissioning/outcome-cost": NOTHING,
    "/commissioning/releases": NOTHING,
    "/commissioning/report.pdf": NOTHING,
    "/commissioning/scenario": NOTHING,
    "/commissioning/scenario.csv": NOTHING,
    "/commissioning/said": NOTHING,
    "/commissioning/said/new": NOTHING,
    "/commissioning/said/{saying_id:uuid}": NOTHING,
    "/commissioning/said/{saying_id:uuid}/change": NOTHING,
    "/commissioning/said/{saying_id:uuid}/publish": NOTHING,
    "/commissioning/said/{saying_id:uuid}/take-back": NOTHING,
    "/commissioning/tables": NOTHING,
    "/commissioning/tables/{key:str}": NOTHING,
    "/commissioning/tables/{key:str}/{name:str}": NOTHING,
    "/commissioning/unmet-need": NOTHING,
    "/commissioning/waits": NOTHING,
    "/commissioning/wishes": NOTHING,
    "/commissioning/wishes/new": NOTHING,
    "/commissioning/wishes/{wish_id:uuid}": NOTHING,
    "/commissioning/wishes/{wish_id:uuid}/answer": NOTHING,
    "/directory": NOTHING,
    "/directory/match": NOTHING,
    "/directory/providers": NOTHING,
    "/directory/providers/new": NOTHING,
    "/directory/providers/{provider_id:uuid}": NOTHING,
    "/directory/providers/{provider_id:uuid}/change": NOTHING,
    "/directory/providers/{provider_id:uuid}/link": NOTHING,
    "/directory/providers/{provider_id:uuid}/services/new": NOTHING,
    "/directory/services/{service_id:uuid}": NOTHING,
    "/directory/services/{service_id:uuid}/change": NOTHING,
    "/directory/services/{service_id:uuid}/close": NOTHING,
    "/directory/services/{service_id:uuid}/end": NOTHING,
    "/directory/services/{service_id:uuid}/open": NOTHING,
    "/directory/short-breaks": NOTHING,
    "/family": OF_FAMILY,
    "/family/glossary": NOTHING,
    "/family/said": NOTHING,
    "/family/{child_id:uuid}/letters/{letter_id:uuid}": OF_FAMILY,
    "/family/sign-in": NOTHING,
    "/family/sign-in/code": NOTHING,
    "/family/sign-ins": NOTHING,
    "/family/sign-ins/end-others": NOTHING,
    "/family/{child_id:uuid}/choices": OF_FAMILY,
    "/family/{child_id:uuid}/choices/new": OF_FAMILY,
    "/family/{child_id:uuid}/choices/{agency_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/looks": OF_FAMILY,
    "/family/{child_id:uuid}/notes/{note_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/meetings/{meeting_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/meetings/{meeting_id:uuid}/answer": OF_FAMILY,
    "/family/{child_id:uuid}/meetings/{meeting_id:uuid}/views": OF_FAMILY,
    "/family/{child_id:uuid}/meetings/{meeting_id:uuid}/wishes": OF_FAMILY,
    "/family/{child_id:uuid}/minutes/{minutes_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/minutes/{minutes_id:uuid}/comment": OF_FAMILY,
    "/family/{child_id:uuid}/minutes/{minutes_id:uuid}/print": OF_FAMILY,
    "/family/{child_id:uuid}/minutes/{minutes_id:uuid}/sign": OF_FAMILY,
    "/family/{child_id:uuid}/outcomes/{outcome_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/own-data": OWN_DATA,
    "/family/{child_id:uuid}/own-data/{file_id:uuid}": OWN_DATA,
    "/family/{child_id:uuid}/requests/{request_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/surveys/{survey_id:uuid}": OF_FAMILY,
    "/family/{child_id:uuid}/surveys/{survey_id:uuid}/dismiss": OF_FAMILY,
    "/family/{child_id:uuid}/surveys/{survey_id:uuid}/take-back": OF_FAMILY,
    "/family/{child_id:uuid}/tell": OF_FAMILY,
    "/glossary": NOTHING,
    "/governance": NOTHING,
    "/governance/certificates": NOTHING,
    "/fhir/R4/.well-known/smart-configuration": NOTHING,
    "/fhir/R4/$export": NOTHING,
    "/fhir/R4/Subscription": NOTHING,
    "/fhir/R4/Subscription/{row:str}": NOTHING,
    "/fhir/R4/Subscription/_search": NOTHING,
    "/fhir/R4/Subscription/{row:str}/$status": NOTHING,
    "/fhir/R4/{resource:str}/{row:str}/$export": NOTHING,
    "/fhir/R4/metadata": NOTHING,
    "/fhir/R4/{resource:str}": SYSTEM,
    "/fhir/R4/{resource:str}/_search": SYSTEM,
    "/fhir/R4/{resource:str}/{row:str}": SYSTEM,
    "/fhir/R4/{resource:str}/{row:str}/$everything": SYSTEM,
    "/fhir/R4/{resource:str}/{row:str}/_history": SYSTEM,
    "/fhir/R4/{resource:str}/{row:str}/_history/{version:str}": SYSTEM,
    "/fhir/R4/auth/revoke": NOTHING,
    "/fhir/R4/exports/{export:str}": NOTHING,
    "/fhir/R4/exports/{export:str}/{part:str}": NOTHING,
    "/fhir/R4/{resource:str}/$export": NOTHING,
    "/fhir/R4/auth/token": NOTHING,
    "/governance/clients": NOTHING,
    "/governance/clients/new": NOTHING,
    "/governance/clients/{client_id:uuid}": NOTHING,
    "/governance/clients/{client_id:uuid}/change": NOTHING,
    "/governance/clients/{client_id:uuid}/end": NOTHING,
    "/governance/clients/{client_id:uuid}/keys": NOTHING,
    "/governance/clients/{client_id:uuid}/revoke": NOTHING,
    "/governance/pulls": NOTHING,
    "/governance/pulls/new": NOTHING,
    "/governance/pulls/{pull_id:uuid}": NOTHING,
    "/governance/pulls/{pull_id:uuid}/go-on": NOTHING,
    "/governance/pulls/{pull_id:uuid}/pause": NOTHING,
    "/governance/pulls/{pull_id:uuid}/remove": NOTHING,
    "/governance/deliveries": NOTHING,
    "/governance/deliveries/{told_id:uuid}/again": NOTHING,
    "/governance/deliveries/{told_id:uuid}/give-up": NOTHING,
    "/governance/disposals": NOTHING,
    "/governance/disposals/{list_id:uuid}": NOTHING,
    "/governance/disposals/{list_id:uuid}/approve": NOTHING,
    "/governance/disposals/{list_id:uuid}/review": NOTHING,
    "/governance/disposals/{list_id:uuid}/send-back": NOTHING,
    "/governance/disposals/{list_id:uuid}/lines/{item_id:uuid}": NOTHING,
    "/governance/documents": NOTHING,
    "/governance/documents/{version_id:uuid}": NOTHING,
    "/governance/documents/{version_id:uuid}/markdown": NOTHING,
    "/governance/history": HISTORY,
    "/governance/holds": NOTHING,
    "/governance/holds/new": NOTHING,
    "/governance/holds/{hold_id:uuid}": NOTHING,
    "/governance/patterns/closed": NOTHING,
    "/governance/patterns/{pattern_id:uuid}": NOTHING,
    "/governance/requests": NOTHING,
    "/governance/requests/new": NOTHING,
    "/governance/requests/{right_id:uuid}": OWN_DATA,
    "/governance/requests/{right_id:uuid}/copies/{file_id:uuid}": OWN_DATA,
    "/governance/requests/{right_id:uuid}/copies/{file_id:uuid}/entries/{number:int}": OWN_DATA,
    "/governance/requests/{right_id:uuid}/copies/{file_id:uuid}/hand-out": OWN_DATA,
    "/governance/requests/{right_id:uuid}/copies/{file_id:uuid}/make": OWN_DATA,
    "/governance/requests/{right_id:uuid}/marks/{mark_id:uuid}": OWN_DATA,
    "/governance/requests/{right_id:uuid}/steps/{slug:str}": OWN_DATA,
    "/governance/retention": NOTHING,
    "/governance/searches": NOTHING,
    "/governance/second-looks": NOTHING,
    "/governance/second-looks/{mark_id:uuid}": OWN_DATA,
    "/governance/spans": NOTHING,
    "/governance/thresholds": NOTHING,
    "/exchange/inbox": NOTHING,
    "/exchange/inbox/{received_id:uuid}": RECORD,
    "/exchange/inbox/{received_id:uuid}/again": RECORD,
    "/exchange/inbox/{received_id:uuid}/children/{child_id:uuid}": RECORD,
    "/exchange/inbox/{received_id:uuid}/new-child": RECORD,
    "/exchange/inbox/{received_id:uuid}/not-ours": RECORD,
    "/fhir/R4": NOTHING,
    "/fhir/R4/Bundle/{row:str}": NOTHING,
    "/fhir/R4/{resource:str}/$validate": NOTHING,
    "/guest/{link_id:uuid}/{token:str}": GUEST,
    "/guest/{link_id:uuid}/{token:str}/item": GUEST,
    "/guest/{link_id:uuid}/{token:str}/thank-you": GUEST,
    "/health/live": NOTHING,
    "/health/ready": NOTHING,
    "/lead-professional/offers/{offer_id:uuid}": RECORD,
    "/lead-professional/offers/{offer_id:uuid}/accept": RECORD,
    "/lead-professional/offers/{offer_id:uuid}/decline": RECORD,
    "/lists": NOTHING,
    "/lists/pairs/{pair_id:uuid}": RECORD,
    "/lists/{register_list_id:uuid}": RECORD,
    "/live/{topic:str}": NOTHING,
    "/live/{topic:str}/writing": NOTHING,
    "/me/sign-in": NOTHING,
    "/me/sign-in/passkeys": NOTHING,
    "/me/sign-in/passkeys/challenge": NOTHING,
    "/me/sign-in/passkeys/new": NOTHING,
    "/me/sign-in/passkeys/{passkey_id:uuid}/remove": NOTHING,
    "/me/sign-in/password": NOTHING,
    "/me/sign-in/password/change": NOTHING,
    "/me/sign-in/password/remove": NOTHING,
    "/me/sign-in/recovery-codes": NOTHING,
    "/me/sign-in/sessions/end-others": NOTHING,
    "/me/sign-in/sessions/{session_id:uuid}/end": NOTHING,
    "/me/sign-in/set-up": NOTHING,
    "/open-referral": NOTHING,
    "/open-referral/organizations": NOTHING,
    "/open-referral/organizations/{public_id:uuid}": NOTHING,
    "/open-referral/service_at_locations": NOTHING,
    "/open-referral/service_at_locations/{public_id:uuid}": NOTHING,
    "/open-referral/services": NOTHING,
    "/open-referral/services/{public_id:uuid}": NOTHING,
    "/open-referral/taxonomies": NOTHING,
    "/open-referral/taxonomies/{public_id:uuid}": NOTHING,
    "/open-referral/taxonomy_terms": NOTHING,
    "/open-referral/taxonomy_terms/{public_id:uuid}": NOTHING,
    "/openapi.json": NOTHING,
    "/panels": ON_PANEL,
    "/panels/{key:str}": ON_PANEL,
    "/panels/{key:str}/children": ON_PANEL,
    "/panels/{key:str}/settings": NOTHING,
    "/panels/{key:str}/referrals/new": ON_PANEL,
    "/panels/{key:str}/{held_on:date}": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/ask": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/change": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/freeze": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/items/{child_id:uuid}": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/guest": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/minutes": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/move": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/take-off": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/late": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/meeting": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/meeting/attendance": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/begin": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/chair": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/end": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/leave": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/substitutes": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/actions": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/done": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/entries/{entry_id:uuid}/move": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/entries/{entry_id:uuid}/moved": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/interest": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/interest/take-back": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/needs-to-know": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/not-done": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/review": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/said/{said_id:uuid}/take-back": MEETING,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/say": MEETING,
    "/panels/{key:str}/criteria": NOTHING,
    "/panels/{key:str}/out-of-area": RECORD,
    "/panels/{key:str}/out-of-area/conditions": NOTHING,
    "/panels/{key:str}/unmet-need": RECORD,
    "/panels/{key:str}/waiting": RECORD,
    "/panels/{key:str}/{held_on:date}/decisions": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/decisions/{decision_id:uuid}/ratify": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/requests/{need_id:uuid}": MEETING,
    "/panels/{key:str}/{held_on:date}/minutes": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/minutes/confirm": ON_PANEL,
    "/panels/{key:str}/{held_on:date}/notes": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/again": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/answers/{answer_id:uuid}/reply": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/checked": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/deliveries/{delivery_id:uuid}/letter": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/deliveries/{delivery_id:uuid}/posted": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/deliveries/{delivery_id:uuid}/recall": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/deliveries/{delivery_id:uuid}/send": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/incidents/{incident_id:uuid}/step": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/keep": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/preview": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/sign-off": RECORD,
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/typed": RECORD,
    "/panels/{key:str}/{held_on:date}/pack": PACK,
    "/panels/{key:str}/{held_on:date}/pack.pdf": PACK,
    "/panels/{key:str}/{held_on:date}/print": ON_PANEL,
    "/people/new-sign-in": NOTHING,
    "/people": NOTHING,
    "/people/agencies/new": NOTHING,
    "/people/agencies/{agency_id:uuid}": NOTHING,
    "/people/agencies/{agency_id:uuid}/change": NOTHING,
    "/people/agencies/{agency_id:uuid}/close": NOTHING,
    "/people/agencies/{agency_id:uuid}/invite": NOTHING,
    "/people/proposals/{proposal_id:uuid}": NOTHING,
    "/people/workers/{worker_id:uuid}": RECORD,
    "/people/workers/{worker_id:uuid}/address": NOTHING,
    "/people/workers/{worker_id:uuid}/invitation": NOTHING,
    "/people/workers/{worker_id:uuid}/invitation/withdraw": NOTHING,
    "/people/workers/{worker_id:uuid}/leave": NOTHING,
    "/people/workers/{worker_id:uuid}/roles/new": NOTHING,
    "/people/workers/{worker_id:uuid}/roles/{role_id:uuid}/end": NOTHING,
    "/people/workers/{worker_id:uuid}/stay": NOTHING,
    "/providers/{token:str}": NOTHING,
    "/providers/{token:str}/services/{service_id:uuid}": NOTHING,
    "/safeguarding/open": NOTHING,
    "/safeguarding/opened": NOTHING,
    "/safeguarding/reviews": NOTHING,
    "/sharing-agreements": NOTHING,
    "/sharing-agreements/new": NOTHING,
    "/sharing-agreements/{agreement_id:uuid}": NOTHING,
    "/sharing-agreements/{agreement_id:uuid}/change": NOTHING,
    "/short-breaks": NOTHING,
    "/sign-in": NOTHING,
    "/sign-in/again": NOTHING,
    "/sign-in/again/demonstration": NOTHING,
    "/sign-in/again/passkey": NOTHING,
    "/sign-in/again/passkey/challenge": NOTHING,
    "/sign-in/done": NOTHING,
    "/sign-in/passkey": NOTHING,
    "/sign-in/passkey/challenge": NOTHING,
    "/sign-in/second": NOTHING,
    "/sign-in/again/with/{provider:str}": NOTHING,
    "/sign-in/ended/{provider:str}": NOTHING,
    "/sign-in/from/{provider:str}": NOTHING,
    "/sign-in/keys/{provider:str}": NOTHING,
    "/sign-in/with/{provider:str}": NOTHING,
    "/sign-in/{token:str}": NOTHING,
    "/sign-out": NOTHING,
    "/signed-out": NOTHING,
    "/{file_path:path}": NOTHING,
    "/{path:str}": NOTHING,
}

PARTS = {
    "link_id": "family_link", "involvement_id": "involvement", "assessment_id": "assessment",
    "document_id": "document", "offer_id": "lead_professional", "referral_id": "referral",
    "plan_id": "plan", "action_id": "action", "line_id": "action", "outcome_id": "desired_outcome",
    "agreement_id": "sharing_agreement", "note_id": "family_note", "delivery_id": "note_delivery",
    "answer_id": "note_answer", "incident_id": "incident", "entry_id": "discussion",
    "said_id": "discussion", "objection_id": "sharing_objection", "request_id": "access_request",
    "restriction_id": "sharing_restriction", "order_id": "sharing_order",
    "override_id": "sharing_override", "enquiry_id": "sharing_enquiry",
    "former_id": "former_identity", "waiting_id": "order_to_confirm", "pattern_id": "unusual_pattern",
    "version_id": "governance_document", "agency_id": "agency", "worker_id": "worker",
    "passkey_id": "passkey", "session_id": "web_session",
    "role_id": "worker_role", "proposal_id": "role_proposal",
    "right_id": "right_request", "file_id": "access_file", "mark_id": "redaction",
    "correction_id": "correction", "hold_id": "legal_hold", "list_id": "disposal_list",
    "item_id": "disposal_line", "package_id": "package", "grant_id": "inclusion_grant",
    "pot_id": "pot", "contract_id": "joint_contract",
    "need_id": "service_request", "appeal_id": "appeal",
    "copy_id": "letter_copy", "letter_id": "decision_letter", "unmet_id": "unmet_need",
    "wait_id": "waiting", "place_id": "place_offer", "decision_id": "request_decision",
    "condition_id": "outside_condition", "client_id": "exchange_client",
    "provider_id": "provider", "service_id": "service",
    "received_id": "received", "offered_id": "proposal", "told_id": "delivery", "pull_id": "pull_source",
    "pair_id": "list_link", "register_list_id": "register_list",
    "meeting_id": "impact_meeting", "invitation_id": "impact_invitation",
    "view_id": "impact_view", "decided_id": "impact_decision", "minutes_id": "impact_minutes",
    "survey_id": "survey", "saying_id": "said_and_done",
    "wish_id": "table_wish",
}  # fmt: skip
"""Which table a part of an address names a row of."""

OF_NO_CHILD = frozenset(
    {
        "provider",
        "service",
        "unusual_pattern",
        "governance_document",
        "agency",
        "disposal_list",
        "exchange_client",
        "joint_contract",
        "outside_condition",
        "passkey",
        "pot",
        "pull_source",
        "received",
        "register_list",
        "said_and_done",
        "table_wish",
        "web_session",
        "worker",
        "worker_role",
        "role_proposal",
    }
)
"""Of these tables, what stands in them for everybody."""

FOR_EACH = frozenset({
    "/children/{child_id:uuid}/corrections",
    "/children/{child_id:uuid}/corrections/{correction_id:uuid}",
    "/children/{child_id:uuid}",
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}",
    "/children/{child_id:uuid}/chronology",
    "/children/{child_id:uuid}/documents/{document_id:uuid}",
    "/children/{child_id:uuid}/edit",
    "/children/{child_id:uuid}/lead-professional",
    "/children/{child_id:uuid}/panels",
    "/children/{child_id:uuid}/packages",
    "/children/{child_id:uuid}/packages/{package_id:uuid}",
    "/children/{child_id:uuid}/people",
    "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in",
    "/children/{child_id:uuid}/plan",
    "/children/{child_id:uuid}/plan/lines/{line_id:uuid}",
    "/children/{child_id:uuid}/sharing",
    "/children/{child_id:uuid}/sharing/enquiries",
    "/children/{child_id:uuid}/sharing/objections/{objection_id:uuid}",
    "/children/{child_id:uuid}/sharing/orders",
    "/children/{child_id:uuid}/sharing/overrides/{override_id:uuid}",
    "/children/{child_id:uuid}/sharing/requests/{request_id:uuid}",
    "/children/{child_id:uuid}/sharing/restrictions",
    "/family/{child_id:uuid}/choices",
    "/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/guest",
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}",
    "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}",
})  # fmt: skip
"""Where most is shown: everybody opens these for every child, not for some of them in turn."""

PART = re.compile(r"\{(\w+):(\w+)\}")


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to fill addresses with, for one child."""

    child: UUID
    rows: Mapping[str, Sequence[UUID]]
    """By table."""
    slugs: Sequence[str]
    """The sections of the assessment's form."""
    days: Sequence[str]


def parts_of(path: str) -> list[tuple[str, str]]:
    """The parts of an address that must be filled: name and kind."""
    return PART.findall(path)


def filled(path: str, known: Known, most: int, turn: int) -> Iterator[str]:
    """The address for a child, with its rows: so many ways, others at each turn."""
    choices = [_choices(name, kind, known) for name, kind in parts_of(path)]
    every = list(product(*choices))
    count = min(most, len(every))
    for place in range(count):
        values = iter(every[(turn * count + place) % len(every)])
        yield PART.sub(lambda _, values=values: next(values), path)


def _choices(name: str, kind: str, known: Known) -> list[str]:
    if name == "child_id":
        return [str(known.child)]
    if name == "link_id":
        # A young person is invited under their own id.
        return [str(known.child), *map(str, known.rows["family_link"])]
    if kind == "uuid":
        return [str(one) for one in known.rows.get(PARTS.get(name, ""), ())] or [str(new_id())]
    if kind == "date":
        return list(known.days)
    if kind == "int":
        return ["0"]
    return list(known.slugs) if name == "slug" else [{"key": "contacts"}.get(name, "nonsense")]
