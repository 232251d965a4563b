-- What is asked for by these goes to the rows, instead of through the table.
create index class_by_room on class (room) where is_active = 1;
create index cannot_link_by_seen on cannot_link (seen);
create index cannot_link_by_other on cannot_link (other);
create index login_session_by_age on login_session (created_at);
