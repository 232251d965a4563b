-- The timetable, the lessons made from it, and who was there.

-- How a class treats what doors and photos say.
alter table class add column grace_min bigint not null default 10;
-- `review`: a person decides all; `auto`: a sure match at or above `auto_line` marks at once,
-- with `error_budget` wrong names per 1,000 passages that the school accepted for it.
alter table class add column policy text not null default 'review';
alter table class add column auto_line double;
alter table class add column error_budget double;

-- The lesson a sighting fell into; none for what is only logged.
alter table sighting add column session text;
create index sighting_by_session on sighting (session, review_status);
create index sighting_by_room on sighting (room, order_at);
create index student_staff on student (id) where kind = 'staff';
create index device_by_room on device (room);

create table room (
    id text primary key not null,
    name text not null unique,
    location text not null,
    version bigint not null
);

-- A lesson that comes each week; times are local, dates inclusive, 1 is Monday.
create table period (
    id text primary key not null,
    class text not null references class (id),
    weekday bigint not null,
    starts text not null,
    ends text not null,
    room text not null,
    from_day text not null,
    to_day text,
    version bigint not null
);
create index period_by_class on period (class, weekday);
create index period_by_room on period (room, weekday);

create table holiday (
    id text primary key not null,
    name text not null,
    from_day text not null,
    to_day text not null
);

-- One day on which a period is not as usual: cancelled (no times), or at other times or places.
create table period_exception (
    id text primary key not null,
    period text not null references period (id),
    day text not null,
    kind text not null check (kind in ('cancelled', 'moved')),
    starts text,
    ends text,
    room text,
    unique (period, day)
);

-- One lesson on one day. Times in milliseconds UTC, the day local.
create table session (
    id text primary key not null,
    class text not null references class (id),
    name text not null,
    day text not null,
    starts bigint not null,
    ends bigint not null,
    -- Whoever arrives after this is late.
    late_after bigint not null,
    room text not null,
    source text not null check (source in ('timetable', 'manual', 'adhoc')),
    period text references period (id),
    closed_at bigint,
    version bigint not null
);
create unique index session_by_period on session (period, day) where period is not null;
create index session_by_class on session (class, starts, id);
create index session_by_room on session (room, starts);
create index session_by_time on session (starts, id);
create index session_open on session (ends) where closed_at is null;
-- Whether the school plans at all: photos alone make ad-hoc lessons.
create index session_planned on session (id) where source <> 'adhoc';

-- What is recorded of one student in one lesson: never more than one row.
create table mark (
    session text not null references session (id),
    student text not null references student (id),
    status text not null check (status in
        ('present', 'late', 'absent', 'excused', 'unverified', 'undecided')),
    source text not null check (source in ('door', 'photo', 'manual', 'close')),
    sighting text,
    arrived_at bigint,
    by_whom text not null,
    at bigint not null,
    notes text,
    version bigint not null,
    primary key (session, student)
) without rowid;
create index mark_by_student on mark (student, session);

-- Marks of a lesson, counted: written with every mark, so that reports over a million marks read
-- a few thousand rows.
create table tally (
    session text primary key not null references session (id),
    present bigint not null,
    late bigint not null,
    absent bigint not null,
    excused bigint not null,
    unverified bigint not null,
    undecided bigint not null
) without rowid;
