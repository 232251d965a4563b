use super::*;
use crate::capture::{Frame, Pixels};
use crate::status::{Counts, Road, Stock};
use crate::trigger::asking;
use std::sync::mpsc::Receiver;
use wire::{record::CameraState, time::SystemClock};

pub(crate) fn status() -> Status {
    Status {
        software: "0.0.0".into(),
        camera: CameraState::Watching,
        camera_frames: 7,
        gallery: 3,
        people: 2,
        gallery_trouble: String::new(),
        gallery_lack: None,
        blind: None,
        stock: Stock::default(),
        way: Road { online: true, ..Road::default() },
        outbox_trouble: String::new(),
        line_trouble: String::new(),
        model: "test-1".into(),
        certificate_ends: wire::Wall(1_790_000_000_000),
        certificate_trouble: String::new(),
        ready_ms: 300,
        memory_peak_kb: 90_000,
        vitals: Default::default(),
        counts: Counts::default(),
    }
}

/// A daemon that answers every snap with `reply`, and one question put to it.
async fn asked(question: Question, reply: fn(Ask)) -> io::Result<(Answer, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let (asks, asked): (_, Receiver<Ask>) = asking();
    let listener = listen(&path).unwrap();
    let status = Arc::new(status);
    let ring = Arc::new(Ring::default());
    let control = Control { listener, asks, status, ring, clock: Arc::new(SystemClock) };
    let stop = CancellationToken::new();
    let client = tokio::task::spawn_blocking(move || ask(&path, question));
    let shutter = tokio::task::spawn_blocking(move || asked.into_iter().for_each(reply));
    let stopping = stop.clone();
    let answer = async move {
        let answer = client.await.unwrap();
        stopping.cancel();
        answer
    };
    let (served, answer) = tokio::join!(control.run(stop), answer);
    served.unwrap();
    shutter.await.unwrap();
    answer
}

fn picture(ask: Ask) {
    let picture = vision::Picture::new(32, 32, vec![80; 3072]).unwrap();
    let report = Report { frames: 5, picture: Some(picture), ..Report::default() };
    ask.reply.unwrap().send(report).unwrap();
}

#[tokio::test]
async fn a_snap_comes_back_with_its_picture() {
    let (answer, jpeg) = asked(Question::Snap { picture: true }, picture).await.unwrap();
    let Answer::Report { report, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((report.frames, &jpeg[..2]), (5, &[0xff, 0xd8][..]));
}

#[tokio::test]
async fn a_picture_nobody_asked_for_is_not_sent() {
    let (_, jpeg) = asked(Question::Snap { picture: false }, picture).await.unwrap();
    assert!(jpeg.is_empty());
}

#[tokio::test]
async fn a_blind_camera_is_said_in_a_sentence() {
    let blind = |ask: Ask| ask.reply.unwrap().send(Report::default()).unwrap();
    let (answer, _) = asked(Question::Snap { picture: true }, blind).await.unwrap();
    let Answer::Trouble(why) = answer else { panic!("{answer:?}") };
    assert!(why.contains("no frame") && why.contains("doctor"), "{why}");
}

#[tokio::test]
async fn a_shutter_that_lets_a_question_fall_is_busy() {
    let (answer, _) = asked(Question::Snap { picture: false }, drop).await.unwrap();
    assert!(matches!(answer, Answer::Trouble(why) if why.contains("busy")));
}

#[tokio::test]
async fn a_glance_brings_the_newest_frame_as_it_came_and_none_where_none_came() {
    let (answer, frame) = asked(Question::Glance { ms: 60 }, |_| ()).await.unwrap();
    let Answer::Glance { glance, form, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((glance.frames, form, frame.len()), (0, None, 0));
    let ring = Arc::new(Ring::default());
    let filled = ring.clone();
    let asks = asking().0;
    let fill = tokio::task::spawn_blocking(move || {
        std::iter::repeat_n((), 40).for_each(|()| {
            filled.push(Frame::new(SystemClock.mono(), Pixels::Encoded(vec![7, 8, 9])));
            std::thread::sleep(Duration::from_millis(5));
        });
    });
    let folder = tempfile::tempdir().unwrap();
    let listener = listen(&folder.path().join("control.sock")).unwrap();
    let clock = Arc::new(SystemClock);
    let control = Control { listener, asks, status: Arc::new(status), ring, clock };
    let (answer, frame) = control.answer(Question::Glance { ms: 100 }).await;
    let Answer::Glance { glance, form, .. } = answer else { panic!("{answer:?}") };
    assert!(glance.frames > 0 && glance.copies + 1 == glance.frames, "{glance:?}");
    assert_eq!((form, frame), (Some(Form::Encoded), vec![7, 8, 9]));
    fill.await.unwrap();
}

#[tokio::test]
async fn the_status_is_answered() {
    let (answer, _) = asked(Question::Status, |_| ()).await.unwrap();
    let Answer::Status(told) = answer else { panic!("{answer:?}") };
    assert_eq!(*told, status());
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    drop(listen(&path).unwrap());
    let listening = listen(&path).unwrap();
    let error = listen(&path).unwrap_err().to_string();
    assert!(error.contains("another daemon"), "{error}");
    drop(listening);
}
