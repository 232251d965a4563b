-- What other programs call what is ours, so that taking over twice is the same as once.
create table foreign_id (
    kind text not null,
    theirs text not null,
    ours text not null,
    primary key (kind, theirs)
) without rowid;
create index foreign_id_by_ours on foreign_id (kind, ours);
