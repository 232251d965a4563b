-- The review desk: what waits, by lesson or else by door, the surest first.
create index sighting_waiting on sighting (review_status, session, confidence, id)
    where review_status = 'pending';
create index sighting_apart on sighting
    (review_status, session, order_at, device, confidence, id)
    where review_status = 'pending' and session is null;

-- A person ruled it out, for as many people as they said: `seen` was at the door, as far as
-- anybody knows, and is not `other`.
alter table cannot_link rename to cannot_link_one;
create table cannot_link (
    sighting text not null references sighting (id),
    seen text not null references student (id),
    other text not null references student (id),
    primary key (sighting, other)
) without rowid;
insert into cannot_link (sighting, seen, other) select sighting, seen, other from cannot_link_one;
drop table cannot_link_one;
-- Steps taken before this speak of one person at most.
delete from undo_step;

-- The face of a rejected sighting is hidden at once and goes at this moment.
alter table evidence add column goes_at bigint;
create index evidence_going on evidence (goes_at) where goes_at is not null;
