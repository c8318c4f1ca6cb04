"""Tables of people who work for several authorities: who they are there, and the way between."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Base, Row, one_of


class WorkerElsewhere(Row):
    """A worker of ours is a worker of another authority too, as they confirmed at both."""

    __tablename__ = "worker_elsewhere"
    __table_args__ = (
        Index(
            "uq_worker_elsewhere_now",
            "worker_id",
            "authority",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    authority: Mapped[str] = mapped_column(Text)
    """The other one's short name, as in the list of authorities."""
    their_id: Mapped[UUID]
    """The worker's id there (no foreign key: it is in another schema)."""
    confirmed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class WayBetween(Base):
    """A link from one authority to another, used once. Only the hash of what is in it is kept."""

    __tablename__ = "way_between"
    __table_args__ = (one_of("step", ("switch", "ask", "answer")),)

    id: Mapped[bytes] = mapped_column("token_hash", LargeBinary, primary_key=True)
    step: Mapped[str] = mapped_column(Text)
    """To go there; to ask that two accounts are one person's; to answer that they are."""
    worker_id: Mapped[UUID]
    """Who made it, in the authority whose table this is."""
    authority: Mapped[str] = mapped_column(Text)
    """The authority to which it leads."""
    their_id: Mapped[UUID | None]
    """The worker there, where that is known."""
    session_hash: Mapped[bytes]
    """The session in which it was made: it must go on when the link is used."""
    browser_hash: Mapped[bytes]
    """What the browser says it is, hashed: another one's is refused."""
    answers: Mapped[bytes | None]
    """The hash of the link that this one answers."""
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
