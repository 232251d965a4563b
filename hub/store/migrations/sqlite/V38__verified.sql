-- Whether a teacher said that the face enrolled is this pupil's. So far nobody was asked: every
-- row said yes when it was made.
update roster set verified = 0;
alter table roster add column verified_by text;
alter table roster add column verified_at bigint;
