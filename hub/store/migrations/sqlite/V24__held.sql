-- Doors whose records wait because nobody here has a template of their model yet.
create table held (
    device text not null references device (id),
    model text not null,
    since bigint not null,
    at bigint not null,
    primary key (device, model)
) without rowid;
create index enrolment_by_model on enrolment (model, student);
