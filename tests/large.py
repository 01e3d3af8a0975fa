"""A house with a large library: photos that were listed, opened, answered and written, made in the database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text, update

from tests.house import House
from tests.stage import DAY, Lying
from tigertag.model import Item
from tigertag.store import listing
from tigertag.store.tables import TargetRow

ENGINES = ("seer", "reader")
WORDS = 1000
"""Different tags; photo and engine decide which ones are said."""

_SAID, _SHOWN = 5, 3
# Set by set: a million rows through Python would take minutes.
_ROWS = f"""
INSERT INTO photo (content_id, width, height, seen)
  SELECT 'jpeg1:' || (1000000 + id), 4000, 3000, :now FROM item ORDER BY id;
UPDATE item SET read_stamp = stamp, input = 'input ' || id,
  photo_id = (SELECT photo.id FROM photo WHERE photo.content_id = 'jpeg1:' || (1000000 + item.id));
INSERT INTO tag (kind, name, fold)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {WORDS})
  SELECT 'tag', 'word ' || i, 'word ' || i FROM n;
INSERT INTO analysis (photo_id, revision_id, input, state, dropped, run_id, at)
  SELECT photo.id, revision.id, '', 'done', 0, 1, :now FROM photo, revision ORDER BY photo.id;
INSERT INTO annotation (analysis_id, kind, tag_id, confidence, language)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {_SAID})
  SELECT a.id, 'tag', (a.id * 7 + n.i * 131) % {WORDS} + 1, 0.5 + (a.id + n.i * 29) % 50 / 100.0, ''
  FROM analysis AS a, n ORDER BY a.id;
INSERT INTO send (photo_id, revision_id, run_id, outcome, at)
  SELECT photo_id, revision_id, 1, 'billed', :now FROM analysis;
INSERT INTO delivery (item_id, target_id, state, wanted, at) SELECT id, 1, 'done', 'planned', :now FROM item;
INSERT INTO ledger (target_id, item_id, name, fold, kind, canonical, origin, engines, at)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {_SHOWN})
  SELECT 1, item.id, 'Word ' || n.i, 'word ' || n.i, 'tag', 'word ' || n.i, 'ours', '["seer"]', :now
  FROM item, n;
INSERT INTO edit (run_id, target_id, item_id, action, state, name, fold, kind, canonical, engines, at)
  SELECT 1, target_id, item_id, 'add', 'confirmed', name, fold, kind, canonical, engines, :now FROM ledger
"""


def furnish(house: House, photos: int) -> None:
    """Fills an empty house with `photos` photos, 10 annotations each, with nothing left to do."""
    for name in ENGINES:
        house.engine(name)
    house.scan()  # makes the rows of source, engines and target
    for number in range(photos):
        moment = DAY + timedelta(minutes=number)
        house.stage.shelf.photos[f"p{number}"] = Lying(
            b"", f"Album {number % 500}/p{number}.jpg", moment=moment
        )
        house.stage.wall.tags[f"p{number}"] = {f"word {i}": f"Word {i}" for i in range(1, _SHOWN + 1)}
    with house.database.session() as session:
        listing.add(session, 1, [_listed(key, lying) for key, lying in house.stage.shelf.photos.items()])
        for statement in _ROWS.split(";"):
            session.execute(text(statement), {"now": DAY.replace(tzinfo=None)})
        session.execute(update(TargetRow).values(policy=house.app.policy.fingerprint))
    if house.database.dialect == "postgresql":
        with house.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def _listed(key: str, lying: Lying) -> Item:
    album = lying.path.rpartition("/")[0]
    return Item("folder:1:/shelf", key, lying.path, lying.stamp, album=album, size=0, moment=lying.moment)
