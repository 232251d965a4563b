-- Reports, and people who came from another system.

-- Days and months of a class, in order.
create index session_by_day on session (class, day, starts, id);

-- What another system calls something of ours, so that taking it over twice is the same as once.
create table sourced (
    source text not null,
    kind text not null,
    sourced_id text not null,
    own_id text not null,
    primary key (source, kind, sourced_id)
) without rowid;
create index sourced_by_own on sourced (own_id);
