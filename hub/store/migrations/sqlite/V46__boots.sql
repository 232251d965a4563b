-- Which life of its card a door's boot number belongs to: each life counts boots anew, so that a
-- card that was put back gives numbers out again. All lives before this are one.
alter table cursor add column life bigint not null default 0;
-- The boot in which the door greeted with this life first; null without a greeting since then.
alter table cursor add column born bigint;
-- The runs of its door's program that the hub has heard of; null where it said none.
alter table cursor add column runs blob;
-- The first number that an old copy of the card gave out again; null where there was none.
alter table cursor add column parted bigint;
alter table anchor add column life bigint not null default 0;
alter table health add column life bigint not null default 0;
alter table sighting add column life bigint not null default 0;
-- Of the newest connection.
alter table device add column life bigint not null default 0;
drop index anchor_by_boot;
create index anchor_by_boot on anchor (device, life, boot, mono);
drop index sighting_undated;
create index sighting_undated on sighting (device, life, boot, mono)
    where clock in ('unset', 'floor', 'rtc');
