-- Updates for doors: programs that somebody signed, and how they go from door to door.
create table door_update (
    name        text primary key,
    version     text not null,
    machine     text not null,
    released_at integer not null,
    length      integer not null,
    signed      blob not null,
    added_at    integer not null,
    added_by    text not null
) strict;

create table rollout (
    n         integer primary key autoincrement,
    name      text not null references door_update (name),
    stage     text not null,
    state     text not null,
    first     text,
    forgiven  integer not null,
    began_at  integer not null,
    began_by  text not null
) strict;
create index rollout_going on rollout (state, n);

create table rollout_door (
    rollout  integer not null references rollout (n),
    device   text not null references device (id),
    step     text not null,
    why      text not null,
    at       integer not null,
    primary key (rollout, device)
) strict;
create index rollout_door_newest on rollout_door (device, rollout);

-- What the door's program was made for, and its name where the hub handed it on.
alter table device add column machine text not null default '';
alter table device add column program text not null default '';
