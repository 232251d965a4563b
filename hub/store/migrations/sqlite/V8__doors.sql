-- Lists of sightings at a million rows, and what doors are given besides certificates.

-- Whose sighting it is taken to be and where it stands, in one text: every list but an admin's
-- own. And in one index what the list of a door needs.
create index sighting_by_person on sighting (
    cast(coalesce(decided_student, predicted_student) || ' ' || review_status as text),
    order_at, id);
drop index sighting_by_device;
create index sighting_by_device on sighting (device, order_at, id, review_status);
-- These two are left for the erasure of a person only.
drop index sighting_by_predicted;
create index sighting_by_predicted on sighting (predicted_student);
drop index sighting_by_decided;
create index sighting_by_decided on sighting (decided_student)
    where decided_student is not null;
create index enrolment_active on enrolment (student) where is_active = 1;

-- What a program at a door shows to send pictures as that door; ended by a newer one or with the
-- door.
create table capture_token (
    digest blob primary key not null,
    device text not null references device (id),
    created_at bigint not null,
    ended_at bigint
) without rowid;
create index capture_token_by_device on capture_token (device);

-- Who was in a gallery file, by its hash: ids only, so that a door can be taken back to it.
create table gallery_people (
    blake3 blob primary key not null,
    people blob not null,
    created_at bigint not null
);
create index gallery_people_by_time on gallery_people (created_at);
-- When the door had the whole file.
alter table gallery_release add column fetched_at bigint;
-- The file whose people a door is held to, after it was taken back.
alter table device add column held_to blob;
