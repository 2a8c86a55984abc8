//! What a newer version left in the table, in every third simulation: a customer whose record and
//! entry this version can't read, an entry parked by it, an item of a kind of its own. Nobody
//! writes over them, and no audit or due scan ends because of them.

use crate::proof::simulation::state::Simulation;
use store::Item;
use store::memory::{image_of_item, item_of_image};

impl Simulation<'_> {
    fn has_newer_items(&self) -> bool {
        self.spec.seed.is_multiple_of(3)
    }

    /// Puts them before anything happens.
    pub(crate) fn plant_newer_items(&mut self) {
        if self.has_newer_items() {
            for image in IMAGES {
                let item = item_of_image(image).expect("an image as the table keeps it");
                assert!(matches!(item, Item::Unreadable(_)), "{image}");
                self.table.plant(item);
            }
        }
    }

    /// They stand as they were, and the last audit passed over exactly these.
    pub(crate) fn check_newer_items(&self) -> Result<(), String> {
        let planted = match self.has_newer_items() {
            true => IMAGES,
            false => &[],
        };
        for image in planted {
            let before = item_of_image(image).expect("an image as the table keeps it");
            let now = self.table.peek(&before.key());
            let is_same = now.is_some_and(|now| image_of_item(now) == image_of_item(&before));
            if !is_same {
                return Err(format!("{} was written over", before.key()));
            }
        }
        let passed_over = self.last_audit.as_ref().map(|audit| audit.passed_over);
        let expected = if planted.is_empty() { 0 } else { PARTITIONS };
        if passed_over != Some(expected) {
            return Err(format!("{passed_over:?} were passed over, not {expected}"));
        }
        Ok(())
    }
}

/// So many partitions they are in.
const PARTITIONS: u64 = 3;

const IMAGES: &[&str] = &[
    r#"{
        "pk": {"S": "customer#stripe/test/cus_newer"}, "sk": {"S": "record"},
        "type": {"S": "record"}, "format": {"N": "99"}, "version": {"N": "4"},
        "due_shard": {"S": "due#3"}, "next_due_at": {"S": "2020-01-01T00:00:00Z"}
    }"#,
    r#"{
        "pk": {"S": "customer#stripe/test/cus_newer"}, "sk": {"S": "journal#stripe/test/evt_newer"},
        "type": {"S": "entry"}, "format": {"N": "99"}, "raw": {"B": "AA=="}
    }"#,
    r#"{
        "pk": {"S": "reference#stripe/test/in_newer"}, "sk": {"S": "parked#stripe/test/evt_newest"},
        "type": {"S": "parked"}, "format": {"N": "99"}, "raw": {"B": "AA=="}
    }"#,
    r#"{
        "pk": {"S": "harvests"}, "sk": {"S": "2031"}, "type": {"S": "harvest"}, "format": {"N": "1"}
    }"#,
];
