//! What doors made with another model than the one in use: told by its own templates, or held, or
//! told as lost; never dropped in silence.

use super::*;
use store::held;

impl Rig {
    fn by(&self, model: &str, seq: u64) -> Item {
        let Body::Sighting(said) = self.sighting(EPOCH, seq, [1.0, 0.0, 0.0]) else { panic!() };
        item(seq, AT, &Body::Sighting(Sighting { model: model.parse().unwrap(), ..said }))
    }

    /// The first person has a template of a model that no door used.
    async fn enrolled_with_another(&self) {
        let enrol = |tx: &Tx<'_>| store::sample::enrol(tx, &[student(1)], NOW);
        self.db.write(enrol).await.unwrap();
    }

    async fn dispositions(&self) -> Vec<String> {
        self.texts("select disposition from receipt order by seq").await
    }
}

#[tokio::test]
async fn a_switch_of_the_model_under_load_loses_nothing() {
    let rig = Arc::new(Rig::new().await);
    let mut tasks = JoinSet::new();
    for part in 0..4u64 {
        let rig = rig.clone();
        tasks.spawn(async move {
            for n in 0..50 {
                let model = if n < 25 || n % 2 == 0 { "dlib-1" } else { "sface-1" };
                rig.batch(EPOCH, vec![rig.by(model, 4 * n + part + 1)]).await;
                if (part, n) == (0, 20) {
                    rig.schools.set([two("sface-1"), two("dlib-1")]);
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(rig.batch(EPOCH, vec![health(201, 1)]).await.cum, 201);
    assert_eq!((rig.count("sighting").await, rig.count("dead_letter").await), (200, 0));
    assert_eq!(
        (rig.count("sighting where model = 'dlib-1'").await, rig.count("loss").await),
        (148, 0)
    );
}

#[tokio::test]
async fn without_a_template_of_its_model_a_passage_of_somebody_known_waits_for_one() {
    let rig = Rig::new().await;
    rig.enrolled_with_another().await;
    let items = vec![rig.by("dlib-1", 1), rig.by("arcface-1", 2), health(3, 1)];
    let ack = rig.batch(EPOCH, items.clone()).await;
    assert_eq!((ack.cum, ack.ranges.as_slice(), ack.rejects.len()), (1, &[(3, 3)][..], 0));
    let held = rig.db.read(|tx| held::list(tx, NOW)).await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].device.clone(), held[0].model.as_str()), (device(), "arcface-1"));
    rig.schools.set([two("dlib-1"), two("arcface-1")]);
    assert_eq!(rig.batch(EPOCH, items).await.cum, 3);
    assert_eq!((rig.count("sighting").await, rig.count("loss").await), (2, 0));
    let later = rig.db.read(|tx| held::list(tx, NOW.plus_ms(3_600_000))).await.unwrap();
    assert_eq!(later, []);
}

#[tokio::test]
async fn with_nobody_enrolled_a_passage_is_told_as_lost_with_its_number() {
    let rig = Rig::new().await;
    rig.schools.set([]);
    let sql = "update student set is_active = 0";
    rig.db.write(move |tx| tx.execute(sql, [])).await.unwrap();
    let ack = rig.batch(EPOCH, vec![rig.by("dlib-1", 1), rig.by("dlib-1", 2)]).await;
    assert_eq!((ack.cum, rig.dispositions().await), (2, vec!["nobody".into(), "nobody".into()]));
    let told = rig.db.read(|tx| store::loss::list(tx, Some(&device()), Wall(0), 9)).await.unwrap();
    assert_eq!((told.len(), told[0].count(), told[0].cause.as_str()), (1, 2, "nobody_enrolled"));
}

#[tokio::test]
async fn however_many_gaps_wait_all_that_is_stored_is_acknowledged() {
    let rig = Rig::new().await;
    rig.enrolled_with_another().await;
    let made = |seq| rig.by(if seq % 2 == 0 { "dlib-1" } else { "arcface-1" }, seq);
    let items: Vec<_> = (1..=200).map(made).collect();
    let mut flights: Vec<_> = items.chunks(64).map(<[Item]>::to_vec).collect();
    for _sent_again in 0..3 {
        for flight in &mut flights {
            let Ack { cum, ranges, .. } = rig.batch(EPOCH, flight.clone()).await;
            assert!(ranges.as_slice().len() <= wire::link::ACK_RANGES);
            flight.retain(|item| item.seq > cum && !ranges.contains(item.seq));
        }
    }
    let left: Vec<_> = flights.concat().iter().map(|item| item.seq).collect();
    let waits: Vec<_> = (1..=200).step_by(2).collect();
    assert_eq!(left, waits, "what is stored is sent no more, and what waits is kept");
    rig.schools.set([two("dlib-1"), two("arcface-1")]);
    let mut cum = 0;
    for flight in flights {
        cum = rig.batch(EPOCH, flight).await.cum;
    }
    assert_eq!((cum, rig.count("sighting").await), (200, 200));
}

/// A school that learnt somebody else by this model.
struct Else(ModelId);

impl School for Else {
    fn model(&self) -> &ModelId {
        &self.0
    }

    fn holds(&self, _: StudentId) -> bool {
        false
    }

    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>> {
        probes.iter().map(|_| Vec::new()).collect()
    }

    fn judge(&self, _: &[Candidate], _: u16, _: &[Reason]) -> SchoolLook {
        SchoolLook {
            verdict: Verdict::Unknown,
            reasons: vec![],
            candidates: vec![],
            confidence: 0.0,
        }
    }
}

#[tokio::test]
async fn while_others_are_learnt_first_a_passage_waits_for_whom_it_names() {
    let rig = Rig::new().await;
    let others = || -> Arc<dyn School> { Arc::new(Else("arcface-1".parse().unwrap())) };
    rig.schools.set([others()]);
    let ack = rig.batch(EPOCH, vec![rig.by("arcface-1", 1)]).await;
    assert_eq!((ack.cum, rig.count("loss").await), (1, 0), "nobody of the school will be learnt");
    rig.enrolled_with_another().await;
    assert_eq!(rig.batch(EPOCH, vec![rig.by("arcface-1", 2)]).await.cum, 1, "it waits");
    rig.schools.set([two("arcface-1")]);
    assert_eq!(rig.batch(EPOCH, vec![rig.by("arcface-1", 2)]).await.cum, 2);
    assert_eq!(rig.count("sighting").await, 1);
}
