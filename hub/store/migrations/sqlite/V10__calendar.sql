-- A calendar's secret address: whoever has it sees the lessons of one account, or of one class.
create table calendar_feed (
    id text primary key not null,
    digest blob not null unique,
    account text not null references user_account (id),
    class text references class (id),
    created_at bigint not null
);
create index calendar_feed_by_account on calendar_feed (account, id);
