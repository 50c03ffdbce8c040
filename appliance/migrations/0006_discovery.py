"""Search, genres and tags, and what the collective features; what is public by now is put in."""

import unicodedata

from peewee import *

from appliance.database import UtcDateTimeField

KINDS = ("artist", "release", "track", "tag")
# Lengths of beginnings that FTS5 keeps lists of: one letter of the place, and up to eleven of the word.
PREFIXES = "2 3 4 5 6 7 8 9 10 11 12"


def up(migrator, db):
    class Artist(Model):
        id = CharField(primary_key=True, max_length=26)
        name = CharField(max_length=200)

        class Meta:
            database = db
            table_name = "artist"

    class Release(Model):
        id = CharField(primary_key=True, max_length=26)
        artist = ForeignKeyField(Artist)
        title = CharField(max_length=300)
        state = CharField(max_length=10)
        genre = CharField(max_length=60, default="")
        tags = TextField(default="")
        published_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "release"

    class Track(Model):
        id = CharField(primary_key=True, max_length=26)
        release = ForeignKeyField(Release)
        position = IntegerField()
        title = CharField(max_length=300)
        state = CharField(max_length=12)

        class Meta:
            database = db
            table_name = "track"

    class Topic(Model):
        id = CharField(primary_key=True, max_length=26)
        kind = CharField(max_length=10)
        slug = CharField(max_length=80)
        name = CharField(max_length=60)
        count = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "topic"
            indexes = ((("kind", "slug"), True), (("kind", "count", "slug"), False))

    class TopicRelease(Model):
        id = BigAutoField()
        topic = ForeignKeyField(Topic, on_delete="CASCADE", index=False)
        release = ForeignKeyField(Release, on_delete="CASCADE")
        published_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "topic_release"
            indexes = ((("topic", "release"), True), (("topic", "published_at", "release"), False))

    class Featured(Model):
        release = ForeignKeyField(Release, primary_key=True, on_delete="CASCADE")
        position = IntegerField()
        note = CharField(max_length=300, default="")
        since = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "featured"

    db.create_tables([Topic, TopicRelease, Featured])
    indexes = {kind: index_table(db, kind) for kind in KINDS}
    fill(indexes, Artist, Release, Track, Topic, TopicRelease)


def index_table(db, kind):
    """The table of one index, and what the engine keeps in step with it."""

    class Indexed(Model):
        id = BigAutoField()
        subject = CharField(max_length=100, unique=True)
        title = CharField(max_length=200)
        words = TextField()

        class Meta:
            database = db
            table_name = f"search_{kind}"

    name = f"search_{kind}"
    db.create_tables([Indexed])
    if not isinstance(db, SqliteDatabase):
        # Titles are compared letter by letter, as SQLite does, and not by the rules of one language.
        db.execute_sql(f'ALTER TABLE {name} ALTER COLUMN title TYPE varchar(200) COLLATE "C"')
        db.execute_sql(
            f"ALTER TABLE {name} ADD COLUMN lexemes tsvector "
            "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED"
        )
        db.execute_sql(f"CREATE INDEX {name}_lexemes ON {name} USING gin (lexemes)")
        db.execute_sql(f"CREATE INDEX {name}_title_id ON {name} (title, id)")
        return Indexed
    db.execute_sql(f"CREATE INDEX {name}_title_id ON {name} (title, id)")
    db.execute_sql(
        f"CREATE VIRTUAL TABLE {name}_words USING fts5(words, content='{name}', content_rowid='id', "
        f"tokenize='ascii', detail='none', columnsize=0, prefix='{PREFIXES}')"
    )
    put = f"INSERT INTO {name}_words(rowid, words) VALUES (new.id, new.words);"  # noqa: S608
    columns = f"{name}_words({name}_words, rowid, words)"
    take = f"INSERT INTO {columns} VALUES ('delete', old.id, old.words);"  # noqa: S608
    for event, act in {"INSERT": put, "DELETE": take, "UPDATE": f"{take} {put}"}.items():
        db.execute_sql(
            f"CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON {name} BEGIN {act} END",
        )
    return Indexed


def fill(indexes, Artist, Release, Track, Topic, TopicRelease):
    """What is public now, oldest first, so that what is newer has the higher number."""
    query = Release.select(Release, Artist).join(Artist).where(Release.state == "published")
    known, topics = set(), {}
    for release in list(query.order_by(Release.published_at, Release.id)):
        if release.artist_id not in known:
            known.add(release.artist_id)
            put(indexes["artist"], release.artist_id, release.artist.name)
        tags = [tag for tag in release.tags.split("\n") if tag]
        about = " ".join([release.genre, *tags])
        put(indexes["release"], release.id, release.title, release.artist.name, about)
        ready = Track.select().where(Track.release == release.id, Track.state == "ready")
        for track in ready.order_by(Track.position, Track.id):
            near = f"{release.artist.name} {release.title}"
            put(indexes["track"], track.id, track.title, near, about)
        named = {
            (kind, "-".join(words(name))[:80]): name
            for kind, name in [("genre", release.genre), *(("tag", tag) for tag in tags)]
        }
        for (kind, slug), name in named.items():
            if not slug:
                continue
            if (kind, slug) not in topics:
                topics[kind, slug] = Topic.create(id=new_id(), kind=kind, slug=slug, name=name)
                put(indexes["tag"], f"{kind}:{slug}", name)
            topic = topics[kind, slug]
            TopicRelease.create(topic=topic.id, release=release.id, published_at=release.published_at)
            Topic.update(count=Topic.count + 1).where(Topic.id == topic.id).execute()


def put(index, subject, title, near="", about=""):
    own = words(title)
    beside = dict.fromkeys([*own, *words(near)])
    everything = dict.fromkeys([*beside, *words(about)])
    marked = [f"t{word}" for word in dict.fromkeys(own)]
    marked += [f"n{word}" for word in beside] + [f"a{word}" for word in everything]
    index.create(subject=subject, title=" ".join(own)[:200], words=" ".join(marked))


def new_id():
    from ulid import ULID

    return str(ULID())


PLAIN = str.maketrans(
    dict(zip("æœøðđþłħıŋŧ", ("ae", "oe", "o", "d", "d", "th", "l", "h", "i", "n", "t"), strict=True))
)
UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "IDEOGRAPHIC ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")


def words(text):
    spelled = []
    for sign in unicodedata.normalize("NFKD", text.casefold()).casefold().translate(PLAIN):
        kind = unicodedata.category(sign)
        if sign in "'’ʼ`´" or kind[0] == "M":
            continue
        if kind[0] not in "LN" and kind != "So":
            spelled.append(" ")
        elif sign > "\u0dff" and (kind == "So" or unicodedata.name(sign, "").startswith(UNSPACED)):
            spelled.append(f" {sign} ")
        else:
            spelled.append(sign)
    return [word[:40] for word in "".join(spelled).split()][:80]


def down(migrator, db):
    for kind in KINDS:
        if isinstance(db, SqliteDatabase):
            db.execute_sql(f"DROP TABLE search_{kind}_words")
        db.execute_sql(f"DROP TABLE search_{kind}")
    for table in ("featured", "topic_release", "topic"):
        migrator.migrate(migrator.drop_table(table))
