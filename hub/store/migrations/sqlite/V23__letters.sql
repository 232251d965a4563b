-- A dead letter keeps its record whole, as it came: with it, it can be replayed.
alter table dead_letter add column item blob;
create index dead_letter_waiting on dead_letter (replayed_at, n);
-- Losses are looked up by door, newest first.
create index loss_by_device on loss (device, received_at);
-- Receipts of numbers up to this one may be gone: what has such a number is known.
alter table cursor add column forgotten bigint not null default 0;
-- The latest it can have been: what has no time of its own goes by that.
alter table health add column at_high bigint not null default 0;
update health set at_high = coalesce(at, cast(strftime('%s', 'now') as integer) * 1000);
-- Sightings that an anchor may date anew.
create index sighting_undated on sighting (device, boot, mono)
    where clock in ('unset', 'floor', 'rtc');
