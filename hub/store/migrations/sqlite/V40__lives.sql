-- The last number that a door said it had given out when it greeted; null in a life without a
-- greeting.
alter table cursor add column told bigint;
-- Once the door has another life: the numbers up to here that never came are told as lost.
alter table cursor add column ended bigint not null default 0;
-- What ended before this was counted is not told now.
update cursor set ended = max_seq where exists
    (select 1 from cursor n where n.device = cursor.device and n.updated_at > cursor.updated_at);
