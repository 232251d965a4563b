-- The last number that a door said it had given out when it greeted; null in a life without a
-- greeting.
alter table cursor add column told bigint;
-- Once the door has another life: the numbers up to here that never came are told as lost.
alter table cursor add column ended bigint not null default 0;
