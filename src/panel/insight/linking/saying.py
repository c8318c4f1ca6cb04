"""What lists say of children, for facts: coded and dated, without a name and without an id kept.

A list holds from its day until the same agency's next one of its kind, and a year at most: what it
says of a child three years later is worth nothing. Of a child here a list says that it is on it, or
that it is not; on any day whoever is on one of a kind is on that kind, whatever the others say.
Whoever is on a list and linked with nobody here is said too, under the blind index of who they are:
the same on several lists.
"""

from panel.platform.read_models import sql

_HELD = """
SELECT y.id, y.kind, y.as_of AS since_on, LEAST((y.as_of + interval '1 year')::date,
  (lead(y.as_of) OVER (PARTITION BY y.kind, y.agency_id ORDER BY y.as_of, y.id)) - 1) AS until_on
  FROM register_list y WHERE y.kind <> 'dla'
"""
_STANDS = """
v.state = 'linked' AND NOT EXISTS (SELECT FROM list_link n WHERE n.number > v.number
  AND n.listed_child_id = v.listed_child_id AND n.child_id = v.child_id)
"""
_IS_ON = """
SELECT v.child_id, h.id, h.kind, h.since_on, h.until_on
  FROM list_link v JOIN listed_child q ON q.id = v.listed_child_id
  JOIN ({held}) h ON h.id = q.register_list_id WHERE {stands}
"""

LISTED = sql(
    """(
SELECT o.child_id, o.kind, o.since_on, o.until_on, true AS listed FROM ({is_on}) o
UNION SELECT c.id, h.kind, h.since_on, h.until_on, false FROM child c CROSS JOIN ({held}) h
 WHERE NOT EXISTS (SELECT FROM ({is_on}) o WHERE o.child_id = c.id AND o.kind = h.kind
   AND o.since_on <= h.since_on AND o.until_on >= h.until_on)) r""",
    is_on=sql(_IS_ON, held=_HELD, stands=_STANDS),
    held=_HELD,
)
"""Rows (child_id, kind, since_on, until_on, listed), in brackets, as `r`."""

OF_NOBODY = sql(
    """
SELECT p.person_id, json_build_object('child', p.person_id, 'birth', p.birth, 'sex', p.sex,
  'ethnicity', NULL, 'need', p.need, 'ward', p.ward, 'moved_on', NULL, 'school_on', NULL,
  'restricted', false, 'erased', p.said IS NULL, 'said', COALESCE(p.said, '[]'))::text
  FROM (SELECT q.person_id,
    (array_agg(to_char(q.birth_date, 'YYYY-MM') ORDER BY l.as_of DESC, q.id DESC))[1] AS birth,
    (array_agg(q.sex ORDER BY l.as_of DESC, q.id DESC))[1] AS sex,
    (array_agg(q.need ORDER BY l.as_of DESC, q.id DESC))[1] AS need,
    (array_agg(q.ward_code ORDER BY l.as_of DESC, q.id DESC))[1] AS ward,
    json_agg(json_build_object('what', 'listed', 'since', h.since_on, 'until', h.until_on,
      'codes', json_build_object('list', h.kind, 'listed', 'true')) ORDER BY h.since_on, h.id)
      FILTER (WHERE NOT EXISTS (SELECT FROM list_link v WHERE v.listed_child_id = q.id
        AND {stands}) AND EXISTS (SELECT FROM data_key k WHERE k.holder_id = q.id
        AND k.wrapped IS NOT NULL)) AS said
    FROM listed_child q JOIN register_list l ON l.id = q.register_list_id
    JOIN ({held}) h ON h.id = l.id
   WHERE q.person_id = ANY(:children) GROUP BY q.person_id) p
""",
    held=_HELD,
    stands=_STANDS,
)
"""A line, as `sources.ChildLine`, of each person on lists of whom there is no record here."""
INVENTED = "SELECT i.id, i.line FROM invented_child i WHERE i.id = ANY(:children)"
"""A line of each child whom a demonstration invented for its figures: none anywhere else."""
EVERYBODY = (
    "SELECT id FROM child UNION SELECT person_id FROM listed_child"
    " UNION SELECT id FROM invented_child ORDER BY 1"
)
"""Of whom anything may be said."""
