-- Rules of attendance that watch themselves.

-- Since when the passages that count against `error_budget` are counted: since `auto` was switched
-- on, or its line was raised.
alter table class add column auto_since bigint;
-- Since when a person decides again because the budget was overrun, and what was counted then.
alter table class add column suspended_at bigint;
alter table class add column suspended_errors bigint;
alter table class add column suspended_of bigint;
create index class_suspended on class (suspended_at) where suspended_at is not null;

-- The class whose policy approved it at once, whatever a person made of it since.
alter table sighting add column auto_class text;
create index sighting_auto on sighting (auto_class, received_at) where auto_class is not null;

-- Of a passage that is only logged: whether the person may be there, as of that moment.
alter table sighting add column authority text;

-- Which periods are elsewhere than usual, in this room.
create index period_exception_by_room on period_exception (room, day) where room is not null;

-- Mail to the teachers of a class is of a kind of its own.
create table mail_of_all_kinds (
    id text primary key not null,
    kind text not null check (kind in ('absence', 'low_attendance', 'policy', 'custom')),
    -- Nothing is said twice.
    about text unique,
    student text,
    recipient text not null,
    subject text not null,
    body text not null,
    state text not null check (state in ('waiting', 'sent', 'failed')),
    attempts bigint not null,
    next_at bigint not null,
    created_at bigint not null,
    created_by text not null,
    ended_at bigint,
    error text
);
insert into mail_of_all_kinds select id, kind, about, student, recipient, subject, body, state,
    attempts, next_at, created_at, created_by, ended_at, error from mail;
drop table mail;
alter table mail_of_all_kinds rename to mail;
create index mail_waiting on mail (next_at, id) where state = 'waiting';
create index mail_by_student on mail (student, id);
create index mail_by_state on mail (state, id);
create index mail_by_end on mail (ended_at) where ended_at is not null;
