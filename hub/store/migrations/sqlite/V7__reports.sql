-- Reports.

-- Days and months of a class, in order.
create index session_by_day on session (class, day, starts, id);
