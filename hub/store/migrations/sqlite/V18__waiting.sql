-- What waits, by whose it is taken to be: a teacher's desk, without the million that are decided.
-- The condition is written so that no other index fits it, and the planner has no choice.
create index sighting_waiting_of on sighting (
    cast(coalesce(decided_student, predicted_student) as text), order_at, id, review_status)
    where review_status || '' = 'pending';
