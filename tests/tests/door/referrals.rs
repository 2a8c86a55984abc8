//! How a referral stands, as its partner may know it.

use crate::support::{Door, Knock, created, of_type};
use domain::ids::PartnerId;
use domain::program::Decision;
use store::decided::{Named, review};

#[tokio::test]
async fn before_the_first_payment_nobody_learns_who_is_a_customer() {
    let door = Door::open().await;
    door.appears("cus_known", "known@example.com").await;
    door.wait(60);
    let mut answers = Vec::new();
    for name in ["known", "unknown"] {
        let email = format!("{name}@example.com");
        let said = door
            .report("acme", &format!("msg_{name}"), &created(name, &email))
            .await;
        let asked = door.ask("acme", name).await;
        let canceled = of_type("referral.canceled", &created(name, &email));
        door.report("acme", &format!("cancel_{name}"), &canceled)
            .await;
        let after = door.ask("acme", name).await;
        assert_eq!(
            (&*asked.state(), &*after.state()),
            ("waiting", "refused canceled")
        );
        let all = format!("{said:?} {asked:?} {after:?}");
        answers.push(all.replace(name, "somebody"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(door.ask("acme", "never-reported").await.status, 404);
}

#[tokio::test]
async fn each_state_has_its_reason() {
    let door = Door::open().await;
    door.report("acme", "m1", &created("first", "nell@example.com"))
        .await;
    door.wait(60);
    door.report("acme", "m2", &created("second", "nell@example.com"))
        .await;
    door.report("zest", "m1", &created("theirs", "nell@example.com"))
        .await;
    door.report("acme", "m3", &created("self", "ann+tag@acme.example"))
        .await;
    door.report("bare", "m1", &created("unpaid", "nell@example.com"))
        .await;
    door.wait(60);
    door.pays("cus_nell", "nell@example.com").await;
    door.pays("cus_ann", "ann+tag@acme.example").await;
    for (partner, referral, state) in [
        ("acme", "first", "attributed"),
        ("acme", "second", "refused another_report"),
        ("zest", "theirs", "refused another_partner"),
        ("acme", "self", "held same_email"),
        // It has no program, so nothing is ever owed to it.
        ("bare", "unpaid", "waiting"),
    ] {
        assert_eq!(
            door.ask(partner, referral).await.state(),
            state,
            "{referral}"
        );
    }
    let named = Named {
        partner: PartnerId::new("acme"),
        referral: "self".into(),
    };
    let ann = domain::ids::CustomerKey::new("stripe/test/cus_ann");
    review(&door.table, &ann, &named, Decision::Void, door.now())
        .await
        .unwrap();
    assert_eq!(door.ask("acme", "self").await.state(), "refused void");
    let canceled = of_type("referral.canceled", &created("first", "nell@example.com"));
    door.report("acme", "m4", &canceled).await;
    for (partner, referral, state) in [
        ("acme", "first", "refused canceled"),
        ("acme", "second", "attributed"),
        ("zest", "theirs", "refused another_partner"),
    ] {
        assert_eq!(
            door.ask(partner, referral).await.state(),
            state,
            "{referral}"
        );
    }
    door.wait(61 * 86_400);
    door.report("zest", "m5", &created("late", "ann+tag@acme.example"))
        .await;
    assert_eq!(
        door.ask("zest", "late").await.state(),
        "refused outside_window"
    );
}

#[tokio::test]
async fn a_partner_asks_of_its_own_referrals_alone_and_names_them_as_it_likes() {
    let door = Door::open().await;
    for referral in ["r#1", "r", "a/b", "r%231", "\u{e9}t\u{e9} 1"] {
        let id = format!("m{}", door.items().len());
        let said = door
            .report("acme", &id, &created(referral, "nell@example.com"))
            .await;
        assert_eq!(said.status, 202, "{referral}: {said:?}");
        assert_eq!(door.ask("zest", referral).await.status, 404, "{referral}");
        let asked = door.ask("acme", referral).await;
        assert_eq!(asked.body["referral_id"], referral);
    }
    // What one id begins with is not another.
    assert_eq!(door.ask("acme", "r#").await.status, 404);
    let mut other = Knock::ask("acme", "r", door.now());
    other.address = "/partners/acme/referrals/a%2Fb".into();
    assert_eq!(door.knock(&other).await.status, 401);
    let mut stale = Knock::ask("acme", "r", door.now());
    door.wait(301);
    assert_eq!(door.knock(&stale).await.status, 401);
    stale.headers.clear();
    assert_eq!(door.knock(&stale).await.status, 401);
}
