-- What a door could have recognised, and what a mark at the end of a lesson stands on.

-- Milliseconds of the span in which the door could have recognised somebody; nothing from a door
-- whose software does not say: its word is no evidence.
alter table health add column usable_ms bigint;
-- Of the rest, milliseconds of each cause: JSON.
alter table health add column blind text;
-- The gallery in use all the time, 0 for none, and the network.
alter table health add column gallery bigint;
alter table health add column model text;
-- How often its triggers made it look, looks it took, those it had no time for, and passages it
-- could not store.
alter table health add column fired bigint;
alter table health add column looks bigint;
alter table health add column dropped bigint;
alter table health add column refused bigint;
-- How far `at` may be off.
alter table health add column err_ms bigint;

-- What the end of the lesson knew of each door: JSON.
alter table mark add column grounds text;
