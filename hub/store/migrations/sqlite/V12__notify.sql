-- Lessons in the order in which they were closed: each is gone through once for absences.
create index session_by_closed on session (closed_at, id) where closed_at is not null;
