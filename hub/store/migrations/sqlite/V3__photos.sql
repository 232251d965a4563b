-- Long work, and photos of whole classes.

create table job (
    id text primary key not null,
    kind text not null,
    state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    done bigint not null,
    total bigint not null,
    -- JSON, once done.
    result text,
    -- A sentence, once failed.
    error text,
    by_whom text not null references user_account (id),
    created_at bigint not null,
    started_at bigint,
    ended_at bigint
);
create index job_by_whom on job (by_whom, id);
create index job_unfinished on job (id) where ended_at is null;
create index job_ended on job (ended_at);

-- A photo of a class. Photo and crops are sealed with the photo's own key in keys.db, which goes
-- at the confirmation or after 7 days; `sealed` is null from then on.
create table image (
    id text primary key not null,
    class text not null references class (id),
    session text references session (id),
    state text not null check (state in ('new', 'processed', 'confirmed', 'expired')),
    taken_at bigint not null,
    width bigint not null,
    height bigint not null,
    sealed blob,
    created_at bigint not null,
    created_by text not null,
    processed_at bigint,
    version bigint not null
);
create index image_by_class on image (class, id);
create index image_by_session on image (session, id);
create index image_kept on image (created_at) where sealed is not null;

-- A face in a photo. Crop and template are null once their key is gone; `model` stays.
create table face_crop (
    id text primary key not null,
    image text not null references image (id),
    class text not null references class (id),
    session text references session (id),
    -- Pixels of the photo.
    x bigint not null,
    y bigint not null,
    width bigint not null,
    height bigint not null,
    score double not null,
    quality text not null,
    doubts text not null,
    crop blob,
    template blob,
    model text,
    -- The match within the class, for a person to confirm.
    proposed text references student (id),
    proposed_score double,
    -- Who it is, and who says so: `person` or `machine`.
    student text references student (id),
    assigned_as text check (assigned_as in ('person', 'machine')),
    assigned_by text,
    assigned_at bigint,
    -- Where the last clustering put it.
    cluster bigint,
    version bigint not null
);
create index face_crop_by_image on face_crop (image, id);
create index face_crop_by_class on face_crop (class, id);
create index face_crop_by_session on face_crop (session, id);
create index face_crop_by_student on face_crop (student, session);
create index face_crop_by_proposed on face_crop (proposed);
-- One person is never twice in one photo.
create unique index face_crop_one_each on face_crop (image, student) where student is not null;
